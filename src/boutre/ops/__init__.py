"""
What people run: the command, the broker, topics, keys, pages.
"""

from __future__ import annotations
