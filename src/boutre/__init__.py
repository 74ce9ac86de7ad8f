"""
Boutre: a message bus for States that share what they see at sea without giving away what they may not.
"""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("boutre")
