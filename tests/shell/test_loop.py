"""
The event loop of a worker: a TLS connection ends although the other side never says farewell.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from pathlib import Path

from boutre.ops.certificates import Authority
from boutre.processors.runtime.loop import Loop

DEADLINE_S = 15
"""Seconds; uvloop by itself would wait for 30."""


def test_the_end_of_a_connection_does_not_wait_for_a_farewell(tmp_path: Path) -> None:
    """
    A server that takes what is sent and answers nothing, not even an end, is left behind well before uvloop's own 30 seconds.
    """
    authority = Authority.made("Loop authority")
    pair = authority.pair("server", tmp_path / "server.pem")
    (tmp_path / "ca.pem").write_bytes(authority.pem())
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(pair)
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        plain, _ = listening.accept()
        with here.wrap_socket(plain, server_side=True):
            over.wait(2 * DEADLINE_S)

    async def connect_and_close() -> None:
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        _, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1], ssl=context)
        writer.write(b"a request")
        writer.close()
        ended = asyncio.ensure_future(writer.wait_closed())
        done, _ = await asyncio.wait({ended}, timeout=DEADLINE_S)
        assert {ended} == done
        assert isinstance(ended.exception(), TimeoutError)  # uvloop says how it ended

    server = threading.Thread(target=serve)
    server.start()
    loop = Loop()
    try:
        loop.run_until_complete(connect_and_close())
    finally:
        loop.close()
        over.set()
        server.join()
        listening.close()
