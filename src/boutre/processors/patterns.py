"""
By what names the graph of processors is known: its file, and the patterns of the topics at both of its ends.
"""

from __future__ import annotations

from typing import Final

FILE: Final = "processors/pipeline.toml"
NATIONAL: Final = "national.{member}.{kind}"
VIEWS: Final = "for.{recipient}.{kind}"
ANSWERS: Final = "from.{recipient}.answer"
