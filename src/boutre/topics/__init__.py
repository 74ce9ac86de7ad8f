"""
Members, recipients, zones and topics: what a bus consists of, as it is declared.
"""

from __future__ import annotations
