"""Requests and responses over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from durabase.errors import ServerError
from durabase.web import Request, Response, WebSocketPair
from unit.asgi.driver import Call, Message, answer, app_of, run, scope, turns

DISCONNECT = {"type": "http.disconnect"}


def piece(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def echo(request: Request) -> Response:
    return Response(await request.bytes(), 201, headers={"x-kind": "echo"})


def test_a_request_is_answered() -> None:
    async def main() -> None:
        start, body = await answer(app_of(echo), scope(method="POST"), piece(b"abc", False))
        assert start == {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"x-kind", b"echo"), (b"content-length", b"3")],
        }
        assert body == {"type": "http.response.body", "body": b"abc", "more_body": False}

    run(main())


def test_bodies_stream_both_ways() -> None:
    async def fetch(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            async for chunk in request.iter_body():
                yield chunk.upper()

        return Response(pieces())

    async def main() -> None:
        async with Call(app_of(fetch), scope(method="POST"), piece(b"one")) as call:
            assert (await call.next())["headers"] == []
            assert (await call.next())["body"] == b"ONE"
            call.give(piece(b"two"))
            assert await call.next() == {"type": "http.response.body", "body": b"TWO", "more_body": True}
            call.give(piece(b"three", False))
            assert (await call.next())["body"] == b"THREE"
            assert await call.next() == {"type": "http.response.body", "body": b"", "more_body": False}
            await call.over()

    run(main())


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_some_responses_have_no_body(method: str, status: int) -> None:
    async def fetch(_: Request) -> Response:
        return Response("body" if status == 200 else None, status)

    async def main() -> None:
        start, body = await answer(app_of(fetch), scope(method=method))
        assert (start["status"], body["body"]) == (status, b"")
        assert ((b"content-length", b"4") in start["headers"]) == (status == 200)

    run(main())


def test_a_stream_that_nobody_reads_is_cancelled() -> None:
    events: list[str] = []

    async def forever() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
                await asyncio.sleep(3600)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    async def fetch(_: Request) -> Response:
        return Response(forever())

    async def main() -> None:
        async with Call(app_of(fetch), scope(), piece(b"", False)) as call:
            await call.next()
            await call.next()
            call.give(DISCONNECT)
            await call.over()
            assert events == ["cancelled"]

    run(main())


def test_a_request_is_handled_to_its_end_though_the_client_hangs_up() -> None:
    events: list[str] = []
    hung_up = asyncio.Event()

    async def fetch(_: Request) -> Response:
        await hung_up.wait()
        events.append("handled")
        return Response("done")

    async def main() -> None:
        async with Call(app_of(fetch), scope(), piece(b"", False)) as call:
            await turns()
            call.give(DISCONNECT)
            hung_up.set()
            await call.over()
            assert events == ["handled"]

    run(main())


@pytest.mark.feature("S-ST-7")
def test_a_client_that_hangs_up_aborts_the_signal() -> None:
    seen: list[bool] = []
    told = asyncio.Event()

    async def fetch(request: Request) -> Response:
        seen.append(request.signal.aborted)
        request.signal.add_event_listener("abort", lambda event: told.set())
        await told.wait()
        seen.append(request.signal.aborted)
        return Response("done")

    async def main() -> None:
        async with Call(app_of(fetch), scope(), piece(b"", False)) as call:
            await turns()
            call.give(DISCONNECT)
            await call.over()
            assert seen == [False, True]

    run(main())


def test_a_client_that_hangs_up_before_its_request_is_complete_gets_no_answer() -> None:
    seen: list[BaseException] = []

    async def fetch(request: Request) -> Response:
        try:
            return await echo(request)
        except OSError as error:
            seen.append(error)
            raise

    async def main() -> None:
        assert await answer(app_of(fetch), scope(method="POST"), piece(b"one"), DISCONNECT) == []
        assert isinstance(seen[0], ConnectionResetError)
        assert await answer(app_of(fetch), scope(method="POST"), DISCONNECT) == []
        assert len(seen) == 1

    run(main())


@pytest.mark.parametrize("pieces", [[piece(b"12345678", False)], [piece(b"1234"), piece(b"5678")]])
def test_a_body_has_a_limit(pieces: list[Message]) -> None:
    async def main() -> None:
        start, body = await answer(app_of(echo, body_bytes=7), scope(method="POST"), *pieces)
        assert (start["status"], body["body"]) == (413, b"A body of at most 7 bytes is taken")

    run(main())


def test_what_a_handler_raises_is_the_outer_applications() -> None:
    async def fetch(_: Request) -> Response:
        raise LookupError("mine")

    async def main() -> None:
        with pytest.raises(LookupError, match="mine"):
            await answer(app_of(fetch), scope())

    run(main())


def test_a_request_that_is_none_is_refused() -> None:
    async def main() -> None:
        start, body = await answer(app_of(echo), scope(headers=[(b"host", b"a/b")]))
        assert (start["status"], body["body"]) == (400, b"Not a host: 'a/b'")

    run(main())


def test_a_web_socket_needs_a_request_for_one() -> None:
    client, server = WebSocketPair()
    server.accept()

    async def fetch(_: Request) -> Response:
        return Response(None, 101, web_socket=client)

    async def main() -> None:
        with pytest.raises(ServerError, match="pip install websockets"):
            await answer(app_of(fetch), scope())
        assert server.ready_state == 3

    run(main())
