"""
Records as they go over the wire: Avro, locked ids, vocabularies, signatures.
"""

from __future__ import annotations
