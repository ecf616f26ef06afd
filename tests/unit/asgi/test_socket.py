"""WebSockets over ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from durabase.asgi import AsgiApp
from durabase.errors import ServerError
from durabase.server.bridge import LOST
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.asgi.driver import CONNECT, Call, app_of, run, scope, text, turns, web_socket_scope
from unit.server.live import Hub, RecordingSink


@asynccontextmanager
async def accepted(app: AsgiApp, **more: Any) -> AsyncIterator[Call]:
    async with Call(app, web_socket_scope(**more), CONNECT) as call:
        assert (await call.next())["type"] == "websocket.accept"
        yield call


def refusing(response: Response) -> AsgiApp:
    async def fetch(_: Request) -> Response:
        return response

    return app_of(fetch)


def test_messages_go_both_ways() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            call.give(text("héllo"), {"type": "websocket.receive", "bytes": b"\x00\xff", "text": None})
            assert await call.next() == {"type": "websocket.send", "text": "héllo"}
            assert await call.next() == {"type": "websocket.send", "bytes": b"\x00\xff"}
            call.give({"type": "websocket.disconnect", "code": 4000, "reason": "bye"})
            await call.over()
            events = [("text", "héllo"), ("binary", b"\x00\xff"), ("close", 4000, "bye", True)]
            assert hub.sinks[0].events == events
            hub.sinks[0].port.send_text("nobody")
            await turns()
            assert call.rest() == []

    run(main())


def test_the_program_chooses_subprotocol_and_headers() -> None:
    headers = {"sec-websocket-protocol": "tinybase", "x-room": "1", "upgrade": "websocket"}

    async def main() -> None:
        hub = Hub(headers=headers)
        hub.first_words = ["first"]
        async with Call(app_of(hub.fetch), web_socket_scope(subprotocols=["tinybase"]), CONNECT) as call:
            assert await call.next() == {
                "type": "websocket.accept",
                "subprotocol": "tinybase",
                "headers": [(b"x-room", b"1")],
            }
            assert (await call.next())["text"] == "first"
            assert hub.requests[0].headers["sec-websocket-protocol"] == "tinybase"

    run(main())


def test_the_program_closes() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            hub.sinks[0].port.send_text("last")
            hub.sinks[0].port.close(4001, "é" * 100)
            hub.sinks[0].port.close(4002, "again")
            hub.sinks[0].port.send_text("too late")
            assert (await call.next())["text"] == "last"
            assert await call.next() == {"type": "websocket.close", "code": 4001, "reason": "é" * 61}
            call.give(text("on its way"), {"type": "websocket.disconnect", "code": 1005})
            await call.over()
            assert hub.sinks[0].events == [("text", "on its way"), ("close", 4001, "é" * 61, True)]

    run(main())


def test_a_close_without_a_code_and_an_abort_have_one_here() -> None:
    async def main() -> None:
        hub = Hub()
        app = app_of(hub.fetch)
        async with accepted(app) as call:
            hub.sinks[0].port.close(None, "")
            assert (await call.next())["code"] == 1000
        async with accepted(app) as call:
            hub.sinks[1].port.send_text("dropped")
            hub.sinks[1].port.abort()
            assert await call.next() == {"type": "websocket.close", "code": 1011, "reason": ""}

    run(main())


def test_who_does_not_close_is_left_when_the_time_is_over() -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        async with accepted(app_of(hub.fetch, clock=clock, close_seconds=3)) as call:
            hub.sinks[0].port.close(4001, "")
            await call.next()
            clock.advance(2_000)
            await turns()
            assert not call.task.done()
            clock.advance(3_000)
            await call.over()
            assert hub.sinks[0].events == [("close", 1006, LOST, False)]

    run(main())


@pytest.mark.parametrize("code", [1006, 1005, 1012])
def test_how_a_connection_ended_is_told_as_the_server_tells(code: int) -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            call.give({"type": "websocket.disconnect", "code": code})
            await call.over()
        lost = code == 1006
        assert hub.sinks[0].events == [("close", code, LOST if lost else "", not lost)]

    run(main())


def test_a_slow_reader_costs_no_more_than_its_bound() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch, unsent_bytes=10_000)) as call:
            call.takes.clear()
            port = hub.sinks[0].port
            port.send_text("x" * 4_000)
            await turns()
            port.send_text("y" * 4_000)
            assert port.buffered_amount() == 8_000
            assert hub.sinks[0].events == []
            port.send_text("z" * 4_000)
            kinds = [event[0] for event in hub.sinks[0].events]
            assert kinds == ["error", "close"]
            call.takes.set()
            assert (await call.next())["text"] == "x" * 4_000  # it had been handed over
            assert (await call.next())["code"] == 1013
            assert port.buffered_amount() == 0

    run(main())


def test_many_small_messages_count_as_more_than_their_bytes() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch, unsent_bytes=100_000)) as call:
            call.takes.clear()
            for _ in range(1_000):
                hub.sinks[0].port.send_text("x")
            assert hub.sinks[0].events[-1][:2] == ("close", 1006)

    run(main())


def test_a_burst_is_no_slow_reader() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            for number in range(5_000):
                hub.sinks[0].port.send_text(str(number))
            assert [(await call.next())["text"] for _ in range(5_000)] == [str(n) for n in range(5_000)]
            assert hub.sinks[0].events == []

    run(main())


@pytest.mark.parametrize("message", [text("é" * 51), {"type": "websocket.receive", "bytes": b"x" * 101}])
def test_a_message_over_the_limit_closes_the_socket(message: Any) -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch, message_bytes=100)) as call:
            call.give(text("é" * 50), message, text("after"))
            assert (await call.next())["text"] == "é" * 50
            closing = await call.next()
            assert (closing["code"], "the limit is 100" in closing["reason"]) == (1009, True)
            await turns()
            assert [event[0] for event in hub.sinks[0].events] == ["text", "error", "close"]

    run(main())


def test_half_a_surrogate_pair_is_sent_as_javascript_would() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            hub.sinks[0].port.send_text("a\ud83d")
            assert (await call.next())["text"] == "a\ufffd"

    run(main())


def test_a_server_that_can_send_no_more_is_believed() -> None:
    async def main() -> None:
        hub, clock = Hub(), FakeClock()
        async with accepted(app_of(hub.fetch, clock=clock)) as call:
            call.fails = OSError("gone")
            hub.sinks[0].port.send_text("x")
            await turns()
            assert not call.task.done()  # the disconnect follows, or the time is over
            call.give({"type": "websocket.disconnect", "code": 1006})
            await call.over()
            assert hub.sinks[0].events == [("close", 1006, LOST, False)]

    run(main())


def test_a_server_that_gives_up_lets_sockets_say_goodbye() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            await turns()
            call.task.cancel()
            assert await call.next() == {
                "type": "websocket.close",
                "code": 1001,
                "reason": "the server stops",
            }
            with pytest.raises(asyncio.CancelledError):
                await call.over()
            assert hub.sinks[0].events == [("close", 1006, LOST, False)]

    run(main())


def test_one_socket_does_not_keep_others_waiting() -> None:
    async def main() -> None:
        hub = Hub(echo=False)
        async with accepted(app_of(hub.fetch, messages_per_turn=8)) as call:
            call.give(*(text("x") for _ in range(100)))
            counts = []
            while len(hub.sinks[0].events) < 100:
                await asyncio.sleep(0)
                counts.append(len(hub.sinks[0].events))
            assert max(after - before for before, after in pairwise(counts)) <= 8

    run(main())


def test_a_refusal_is_the_programs_own_response() -> None:
    async def main() -> None:
        async with Call(
            refusing(Response("no", 401, headers={"x": "1"})), web_socket_scope(), CONNECT
        ) as call:
            await call.over()
            start, body = call.rest()
        assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
        assert (b"x", b"1") in start["headers"]
        assert body == {"type": "websocket.http.response.body", "body": b"no", "more_body": False}

    run(main())


def test_a_server_that_can_only_close_does() -> None:
    async def main() -> None:
        bare = web_socket_scope(extensions=None)
        async with Call(refusing(Response("no", 401)), bare, CONNECT) as call:
            await call.over()
            assert [message["type"] for message in call.rest()] == ["websocket.close"]

    run(main())


def test_a_wrong_request_is_refused() -> None:
    async def main() -> None:
        wrong = scope("websocket", headers=[(b"host", b"a/b")])
        async with Call(app_of(Hub().fetch), wrong, CONNECT) as call:
            await call.over()
            assert call.rest()[0]["status"] == 400

    run(main())


def test_a_client_that_leaves_before_it_is_let_in() -> None:
    async def main() -> None:
        hub = Hub()
        async with Call(app_of(hub.fetch), web_socket_scope(), CONNECT) as call:
            call.fails = OSError("gone")
            with pytest.raises(OSError, match="gone"):
                await call.over()
        assert hub.sinks[0].events == [("close", 1006, LOST, False)]
        async with Call(app_of(hub.fetch), web_socket_scope(), {"type": "websocket.disconnect"}) as call:
            await call.over()
        assert len(hub.sinks) == 1

    run(main())


def test_what_a_handler_raises_is_the_outer_applications() -> None:
    async def fetch(_: Request) -> Response:
        raise ServerError("mine")

    async def main() -> None:
        async with Call(app_of(fetch), web_socket_scope(), CONNECT) as call:
            with pytest.raises(ServerError, match="mine"):
                await call.over()

    run(main())


def test_an_idle_socket_has_no_task_but_its_own() -> None:
    async def main() -> None:
        hub = Hub()
        async with accepted(app_of(hub.fetch)) as call:
            call.give(text("x"))
            await call.next()
            await turns()
            running = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            assert {task.get_name() for task in running - {call.task}} == {"durabase"}
            assert isinstance(hub.sinks[0], RecordingSink)

    run(main())
