"""
The page of operations served from made-up moments, so that a test may change what is known while somebody looks.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from boutre.ops.findings.everything import Known
from boutre.ops.operations.series import Series
from boutre.ops.operations.state import State
from boutre.ops.operations.web import Site, application
from operations_scenes import FACTS, NOW


class Stage:
    """
    What is known now, on a clock that began at ``NOW`` when the stage was made.
    """

    def __init__(self, known: Known) -> None:
        self.known = known
        self.state = State(FACTS)
        self.state.document(known, NOW - 120)
        self.healthy = self.ready = True
        self._begun = time.monotonic()

    def document(self) -> dict[str, Any]:
        """Give the document."""
        return self.state.document(self.known, NOW + round(time.monotonic() - self._begun, 2))

    def health(self) -> tuple[bool, bool, dict[str, Any]]:
        """Give the health that was set."""
        return self.ready, self.healthy, {"process": "operations", "name": "operations", "why": []}

    def app(self, *names: str) -> web.Application:
        """Give the server."""
        registry = CollectorRegistry(auto_describe=True)
        registry.register(Series(self.document))
        return application(Site(self.document, self.health, (registry,)), names)


@asynccontextmanager
async def served(stage: Stage) -> AsyncIterator[str]:
    """
    Serve a stage on a free port of this machine; give its address.
    """
    runner = web.AppRunner(stage.app(), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
