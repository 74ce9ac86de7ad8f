"""
The event loop of a worker: uvloop, that does not wait long for the farewell of TLS.

Whoever ends a TLS connection says so and waits for the other to say the same. Where a broker's answer to an earlier request comes
in between, uvloop does not hear it, and waits for 30 seconds: at most starts of a worker, and whenever partitions move.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvloop

FAREWELL_S: Final = 0.5
"""
Seconds for the other's farewell. Nothing is lost without it: Kafka's requests and answers tell their own length, and all that
counts was answered before.
"""


class Loop(uvloop.Loop):
    """
    uvloop's, with an early end of TLS connections that somebody opened.
    """

    async def create_connection(self, *arguments: Any, **options: Any) -> Any:
        """Open a connection as uvloop does."""
        if options.get("ssl"):
            options.setdefault("ssl_shutdown_timeout", FAREWELL_S)
        return await super().create_connection(*arguments, **options)


class Policy(uvloop.EventLoopPolicy):  # type: ignore[misc] # uvloop says nothing of its type
    """
    Makes every loop of the process one of these, Faust's own threads' too.
    """

    def _loop_factory(self) -> uvloop.Loop:
        return Loop()


def install() -> None:
    """
    Use it from now on.
    """
    asyncio.set_event_loop_policy(Policy())
