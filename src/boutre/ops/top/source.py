"""
Where ``boutre top`` has its document from: a running ``boutre operations``, or what it sees by itself.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from boutre.errors import Unavailable

Document = dict[str, Any]

ANSWER_S: Final = 3.0
MOST_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Latest:
    """
    The last document and when it came (seconds since 1970), None for never; *why* nothing newer came, "" where the last try did.
    """

    document: Document | None = None
    heard: float | None = None
    why: str = ""


@dataclass(slots=True)
class Source:
    """
    Asks for the document again and again and keeps the last. *address* is what people know it by, "" for this process itself.
    """

    ask: Callable[[], Document]
    address: str = ""
    now: Callable[[], float] = time.time
    latest: Latest = field(default_factory=Latest)

    def look(self) -> Latest:
        """Ask once; what fails leaves the last document as it was."""
        try:
            self.latest = Latest(self.ask(), self.now())
        except Unavailable as error:
            self.latest = Latest(self.latest.document, self.latest.heard, str(error))
        return self.latest


def remote(url: str) -> Source:
    """
    Give the source at *url*, the address of a page of operations.
    """
    address = f"{url.rstrip('/')}/state.json"

    def ask() -> Document:
        try:
            with urllib.request.urlopen(address, timeout=ANSWER_S) as answer:  # noqa: S310 - checked to be http(s) by who names it
                told = json.loads(answer.read(MOST_BYTES))
        except (OSError, ValueError, urllib.error.URLError) as error:
            raise Unavailable(f"{address} does not answer ({type(error).__name__})") from None
        if not isinstance(told, dict) or not {"findings", "counts", "sources"} <= told.keys():
            raise Unavailable(f"{address} is no page of operations")
        return told

    return Source(ask, url)
