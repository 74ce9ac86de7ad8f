"""
A real Chromium without a window, spoken to by its own protocol: what a person at a screen would get, JavaScript or not.

    async with chromium(folder) as browser:
        tab = await browser.open("http://127.0.0.1:9320/", language="fr")
        assert "Boutre" in await tab.value("document.title")

The Chrome DevTools Protocol over one web socket, by the aiohttp that the bus has anyway: a driver of a hundred megabytes would do
no more.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")
LISTENS: Final = b"DevTools listening on "
START_S: Final = 60.0
WAIT_S: Final = 30.0


def program() -> str:
    """
    Give the browser of this machine; without one the test is left out.
    """
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


class Tab:
    """
    One page. *complaints* holds what a developer would see in red: exceptions, blocked scripts and styles, failed requests.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session
        self.complaints: list[str] = []

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Say something to the page's own part of the browser."""
        return await self._browser.send(method, self._session, **params)

    async def value(self, expression: str) -> Any:
        """Give the value of an expression in the page; a promise is waited for."""
        told = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, f"{expression}: {told['exceptionDetails']}"
        return told["result"].get("value")

    async def until(self, expression: str, seconds: float = WAIT_S) -> float:
        """Wait until an expression is true; give how many seconds that took."""
        begun = time.monotonic()
        while not await self.value(expression):
            assert time.monotonic() - begun < seconds, f"never: {expression}"
            await asyncio.sleep(0.1)
        return time.monotonic() - begun

    async def key(self, name: str) -> None:
        """Press a key, such as Tab or Enter."""
        codes = {"Tab": 9, "Enter": 13}
        for kind in ("rawKeyDown", "keyUp"):
            await self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])
        if name == "Enter":
            await self.send("Input.dispatchKeyEvent", type="char", key=name, code=name, text="\r")

    async def picture(self, path: Path) -> None:
        """Write the whole page as a picture."""
        told = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(told["data"]))

    def heard(self, method: str, params: dict[str, Any]) -> None:
        """Take an event of the page."""
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"].get("text")))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")


class Browser:
    """
    A running browser; made by ``chromium``.
    """

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}
        self._reader = asyncio.create_task(self._read())

    async def open(
        self,
        url: str,
        *,
        language: str = "en",
        size: tuple[int, int] = (1366, 768),
        dark: bool = False,
        javascript: bool = True,
        loaded: Callable[[Tab], Any] | None = None,
    ) -> Tab:
        """Open a page as somebody with that language, screen and taste would, and wait until it is there."""
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        target = (await self.send("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await self.send("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await tab.send(f"{domain}.enable")
        await tab.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": language})
        await tab.send("Emulation.setDeviceMetricsOverride", width=size[0], height=size[1], deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await tab.send("Emulation.setEmulatedMedia", features=[scheme])
        await tab.send("Emulation.setScriptExecutionDisabled", value=not javascript)
        await tab.send("Page.navigate", url=url)
        await tab.until(f"location.href.startsWith({url!r}) && document.readyState === 'complete'")
        if loaded is not None:
            await loaded(tab)
        return tab

    async def send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Say something to the browser, and give what it answers."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        own = {} if session is None else {"sessionId": session}
        await self._socket.send_json({"id": number, "method": method, "params": params, **own})
        return await asyncio.wait_for(answer, WAIT_S)

    async def close(self) -> None:
        """End it in good order."""
        with suppress(Exception):
            await self.send("Browser.close")
        self._reader.cancel()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                continue
            told = message.json()
            if (answer := self._waiting.pop(told.get("id", 0), None)) is not None:
                if "error" in told:
                    answer.set_exception(AssertionError(told["error"]["message"]))
                else:
                    answer.set_result(told["result"])
            elif (tab := self._tabs.get(told.get("sessionId", ""))) is not None:
                tab.heard(told["method"], told["params"])


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Browser]:
    """
    Give a browser whose profile is in *folder*; it reaches no address but this machine's.
    """
    process = await asyncio.create_subprocess_exec(
        program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
        "--no-first-run", "--disable-extensions", "--hide-scrollbars", "--disable-lcd-text",
        "--force-device-scale-factor=1", "--remote-debugging-port=0",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={folder / 'profile'}", "about:blank",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    try:
        address = await asyncio.wait_for(_address(process.stderr), START_S)
        drain = asyncio.create_task(_drain(process.stderr))
        async with ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
            browser = Browser(socket)
            yield browser
            await browser.close()
        drain.cancel()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(lines: asyncio.StreamReader) -> str:
    while line := await lines.readline():
        if line.startswith(LISTENS):
            return line.removeprefix(LISTENS).decode().strip()
    pytest.fail("Chromium ended at once")


async def _drain(lines: asyncio.StreamReader) -> None:
    while await lines.readline():
        pass
