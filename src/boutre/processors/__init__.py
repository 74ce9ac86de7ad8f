"""
Steps that accept and release records, as functions of values.
"""

from __future__ import annotations
