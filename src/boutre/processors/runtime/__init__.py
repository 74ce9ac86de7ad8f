"""
The only package that knows Faust.
"""

from __future__ import annotations
