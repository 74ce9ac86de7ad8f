"""
The migration database: which rows a view becomes, how they are written once each, and the databases that can hold them.
"""

from __future__ import annotations
