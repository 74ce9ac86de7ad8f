"""
Logs of the processes that run for long: one JSON object a line, on stderr, times in UTC.

No log line holds a value of a record: ids, topics, processors and reasons only.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import Processor


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
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
