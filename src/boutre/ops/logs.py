"""
Logs of the processes that run for long: one JSON object a line, on stderr, times in UTC.

No log line holds a value of a record: ids, topics, processors and reasons only.
"""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog
from structlog.typing import Processor

AGAIN_S: Final = 10.0
"""Seconds after which a library may say the same again."""

MOST: Final = 1_000
"""Different lines that are remembered; beyond them all may be said again."""


class Seldom(logging.Filter):
    """
    Lets the same line of a library through once in ten seconds: while a broker is away, clients say so a hundred times a second.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        super().__init__()
        self._said: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is to be written; lines are the same where only what is filled in differs."""
        line = (record.name, record.levelno, str(record.msg))
        if record.created - self._said.get(line, -AGAIN_S) < AGAIN_S:
            return False
        if len(self._said) >= MOST:
            self._said.clear()
        self._said[line] = record.created
        return True


def to_stderr() -> None:
    """
    Write this process's logs to stderr; other people's libraries speak from warnings upward, in the same form.
    """
    shared: list[Processor] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    rendered = structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer(), foreign_pre_chain=shared)
    handler.setFormatter(rendered)
    handler.addFilter(Seldom())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
