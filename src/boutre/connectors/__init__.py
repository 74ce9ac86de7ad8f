"""
What brings reports to the bus, and what takes views from it.
"""

from __future__ import annotations
