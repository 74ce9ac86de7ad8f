"""
``python -m boutre``: the command, for processes that start others with their own interpreter.
"""

from __future__ import annotations

from boutre.ops.command import main

main()
