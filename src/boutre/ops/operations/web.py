"""
The server of the page: read by people and programs, changed by nobody, and told apart from whoever is not called by its name.

It gives no other site leave to read it, runs no script but its own, and answers to the names only that it was given: a page
elsewhere that has its own name point here gets nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from boutre.ops.operations import html
from boutre.ops.operations.accepted import language_of
from boutre.ops.panels import showing

Document = dict[str, Any]
Panels = Callable[[Mapping[str, str], str], str]
"""Gives the page of panels for the query of an address and a language."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

EVERY_S: Final = 1.0
"""Seconds between two looks at what there is to send."""

BEAT_S: Final = 4.0
"""Seconds after which a stream says that it is still there."""

MOST_STREAMS: Final = 64
"""Pages that may be live at a time; the next one is told to come again."""

SEND_S: Final = 10.0
"""Seconds in which a browser must take what it is sent, or is left."""

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})


class Site:
    """
    What the routes need: the document as it is now, the process's own health, its metrics, and the panels in a language.
    """

    def __init__(
        self,
        document: Callable[[], Document],
        health: Callable[[], tuple[bool, bool, Document]],
        registries: Sequence[CollectorRegistry],
        panels: Panels | None = None,
    ) -> None:
        self.document, self.health, self.registries, self.panels = document, health, registries, panels
        self.streams = 0

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page, as it stands now."""
        language = _language(request)
        content = html.page(self.document(), language, panels=self.panels is not None)
        return web.Response(
            text=content, content_type="text/html", headers={"Content-Language": language, "Vary": "Accept-Language"}
        )

    async def state(self, _request: web.Request) -> web.StreamResponse:
        """The document."""
        return web.json_response(self.document(), dumps=_json)

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        """What Prometheus asks for; made by another thread, since a large bus has many series."""
        every = [await asyncio.to_thread(generate_latest, registry) for registry in self.registries]
        return web.Response(body=b"".join(every), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """Whether the page has something to show."""
        ready, _, body = self.health()
        return web.json_response({**body, "ready": ready}, status=200 if ready else 503)

    async def healthy(self, _request: web.Request) -> web.StreamResponse:
        """Whether those who ask for it go on asking."""
        _, healthy, body = self.health()
        return web.json_response({**body, "healthy": healthy}, status=200 if healthy else 503)

    async def drawn(self, request: web.Request) -> web.StreamResponse:
        """The panels."""
        if self.panels is None:
            raise web.HTTPNotFound
        content = await asyncio.to_thread(self.panels, dict(request.query), _language(request))
        return web.Response(text=content, content_type="text/html", headers={"Vary": "Accept-Language"})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """The page as it changes, and a beat where it does not."""
        if self.streams >= MOST_STREAMS:
            return web.Response(status=503, headers={"Retry-After": "30"})
        language = _language(request)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"})
        self.streams += 1
        try:
            await stream.prepare(request)
            await self._tell(stream, language)
        except (ConnectionError, TimeoutError):
            pass  # whoever looked has gone
        finally:
            self.streams -= 1
        return stream

    async def _tell(self, stream: web.StreamResponse, language: str) -> None:
        last, spoken = "", 0.0
        while True:
            document = self.document()
            main = html.fragment(document, language)
            if main != last:
                said = {
                    "main": main,
                    "counts": html.counts(document, language),
                    "title": html.title(document, language),
                    "at": document["at"],
                }
                await asyncio.wait_for(stream.write(f"event: state\ndata: {_json(said)}\n\n".encode()), SEND_S)
                last, spoken = main, time.monotonic()
            elif time.monotonic() - spoken >= BEAT_S:
                await asyncio.wait_for(stream.write(f"event: beat\ndata: {document['at']:.3f}\n\n".encode()), SEND_S)
                spoken = time.monotonic()
            await asyncio.sleep(EVERY_S)


def application(site: Site, names: Collection[str] = ()) -> web.Application:
    """
    Give the server of *site*; beside this machine's own names it answers to *names*.
    """
    app = web.Application(middlewares=[_guard(LOCAL | {name.lower() for name in names})], client_max_size=1024)
    app.router.add_get("/", site.page)
    app.router.add_get("/state.json", site.state)
    app.router.add_get("/events", site.events)
    app.router.add_get("/metrics", site.metrics)
    app.router.add_get("/readyz", site.ready)
    app.router.add_get("/healthz", site.healthy)
    app.router.add_get("/panels", site.drawn)
    for name, kind in (("operations.css", "text/css"), ("operations.js", "text/javascript")):
        app.router.add_get(f"/{name}", _text(files("boutre.ops.operations").joinpath("static", name).read_text("utf-8"), kind))
    app.router.add_get("/panels.css", _text(showing.css(), "text/css"))
    return app


def _text(content: str, kind: str) -> Handler:
    async def give(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=content, content_type=kind, charset="utf-8")

    return give


def _guard(names: Collection[str]) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
        if name.lower() not in names:
            return web.Response(status=421, text="not called by a name of this page; see --name\n", headers=HEADERS)
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not answer.prepared:
            answer.headers.update(HEADERS)
        return answer

    return guard


def _language(request: web.Request) -> str:
    return language_of(request.headers.get("Accept-Language", ""), request.query.get("language"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
