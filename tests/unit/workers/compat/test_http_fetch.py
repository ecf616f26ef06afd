"""``fetch`` to other servers, as far as it can be given up."""

from __future__ import annotations

import asyncio

import pytest

from durabase.web import AbortController, AbortError, AbortSignal
from durabase.workers.compat.http_fetch import fetch


@pytest.mark.feature("S-ST-7")
def test_a_signal_gives_up_the_wait_for_a_response() -> None:
    async def main() -> None:
        connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        server = await asyncio.start_server(lambda _, writer: connected.put_nowait(writer), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        controller = AbortController()
        call = asyncio.ensure_future(fetch(url, signal=controller.signal))
        writer = await connected.get()
        controller.abort(ValueError("not any more"))
        with pytest.raises(ValueError, match="not any more"):
            await call
        with pytest.raises(AbortError):
            await fetch(url, signal=AbortSignal.abort())
        writer.transport.abort()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


def test_a_signal_that_is_not_aborted_changes_nothing() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        response = await fetch(url, signal=AbortController().signal)
        assert await response.text() == "ok"
        server.close()
        await server.wait_closed()

    asyncio.run(main())
