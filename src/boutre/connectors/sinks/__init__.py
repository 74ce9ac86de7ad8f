"""
The sinks that ship with the bus.
"""

from __future__ import annotations
