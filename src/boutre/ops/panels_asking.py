"""
Asks a Prometheus for what panels need, over HTTP.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

from boutre.errors import DeclarationError, Fault, Unavailable
from boutre.ops.dashboards_command import drawn
from boutre.ops.panels.asking import Query
from boutre.ops.panels.showing import Ask, show

ANSWER_S: Final = 5.0
"""Seconds that Prometheus may take for one answer."""

MOST_BYTES: Final = 16 << 20
"""An answer that is larger is none: no panel has so many series."""


def asking(prometheus: str) -> Ask:
    """
    Give what asks the Prometheus at the address *prometheus*.

    Raises DeclarationError where that is no address of HTTP; what is given raises Unavailable where nothing answers, and gives the
    answer's body where Prometheus says no.
    """
    if urlsplit(prometheus).scheme not in {"http", "https"} or not urlsplit(prometheus).netloc:
        raise DeclarationError([Fault("--prometheus", "", "is no address; say http://host:9090")])
    root = prometheus.rstrip("/")

    def ask(query: Query) -> bytes:
        address = f"{root}{query.path}?{urlencode(query.given)}"
        try:
            with urllib.request.urlopen(address, timeout=ANSWER_S) as answer:  # noqa: S310 - http or https, seen above
                return _whole(answer.read(MOST_BYTES + 1))
        except urllib.error.HTTPError as error:
            with error:
                return _whole(error.read(MOST_BYTES + 1))
        except (OSError, HTTPException) as error:
            raise Unavailable(f"Prometheus does not answer at {root} ({type(error).__name__})") from None

    return ask


def panels(root: Path, prometheus: str) -> Callable[[Mapping[str, str], str], str]:
    """
    Give what makes the page of panels of the bus at *root*, from the query of an address and a language.
    """
    file, ask = drawn(root), asking(prometheus)
    return lambda given, language: show(file, given, language, ask, time.time())


def _whole(body: bytes) -> bytes:
    return body if len(body) <= MOST_BYTES else b"{}"
