"""Synchronizing over a connection that comes and goes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from websockets.asyncio.server import serve

from durabase.errors import SyncClosedError
from durabase.mergeable import MergeableStore
from durabase.synchronizers._reconnecting import Backoff
from durabase.synchronizers.ws_client import WsSynchronizer
from durabase.testing import FakeClock

NOW = 1_708_981_571_441
HLC = "NrbEJxl---0dmwzH"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


async def settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


class FakeTransport:
    """A connection of which the test is the other side."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.closed: tuple[int | None, str] | None = None
        self.buffered = 0
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()

    def send_text(self, text: str) -> None:
        self.sent.append(text)

    def close(self, code: int | None, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)
            self.break_off()

    async def wait_closed(self) -> None: ...

    def buffered_amount(self) -> int:
        return self.buffered

    async def __aiter__(self) -> AsyncIterator[str]:
        while (text := await self._incoming.get()) is not None:
            yield text

    def bring(self, text: str) -> None:
        self._incoming.put_nowait(text)

    def break_off(self) -> None:
        self._incoming.put_nowait(None)

    def take(self) -> list[list[Any]]:
        """The messages that were sent since the last time."""
        sent, self.sent = self.sent, []
        return [json.loads(text.partition("\n")[2]) for text in sent]


class Bench:
    """A synchronizer whose connections the test opens."""

    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock(NOW)
        self.store = MergeableStore("s1", clock=FakeClock(NOW))
        self.errors: list[Exception] = []
        self.states: list[bool] = []
        self.openings: list[FakeTransport | Exception] = []
        self.synchronizer = WsSynchronizer.connect(
            self.store,
            "ws://unused",
            on_ignored_error=self.errors.append,
            on_connection=self.states.append,
            open_transport=self._open,
            backoff=Backoff(1, 4, random_share=lambda: 0.0),
            clock=self.clock,
            **options,
        )

    async def _open(self) -> FakeTransport:
        found = self.openings.pop(0) if self.openings else OSError("nobody there")
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def error_texts(self) -> list[str]:
        return [str(error) for error in self.errors]


class TestOneTransport:
    def test_a_connection_that_is_refused_is_logged_in_one_line(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def refuse() -> FakeTransport:
            raise ConnectionRefusedError("nobody listens")

        async def test() -> None:
            store = MergeableStore("s1", clock=FakeClock(NOW))
            async with WsSynchronizer.connect(
                store, "ws://unused", open_transport=refuse, clock=FakeClock(NOW)
            ):
                await settle()

        asyncio.run(test())
        (record,) = caplog.records
        assert record.getMessage() == "WsSynchronizer: nobody listens"
        assert record.exc_info is None

    def test_it_asks_takes_over_and_tells(self) -> None:
        async def test() -> None:
            store, transport = MergeableStore("s1", clock=FakeClock(NOW)), FakeTransport()
            async with WsSynchronizer(store, transport, clock=FakeClock(NOW)) as synchronizer:
                syncing = synchronizer.start_sync()
                ((request_id, number, body),) = transport.take()
                assert (number, body) == (1, "")
                transport.bring(f'B\n["{request_id}",0,[0,5]]')
                await settle()
                ((request_id, number, _),) = transport.take()
                assert number == 7
                assert not syncing.done()
                transport.bring(f'B\n["{request_id}",0,[{{"v":[5,"{HLC}"]}}]]')
                await syncing
                assert store.get_value("v") == 5
                assert [message[1] for message in transport.take()] == [2]
                store.set_value("w", 1)
                assert [message[1] for message in transport.take()] == [3]
                assert synchronizer.get_transport() is transport
            assert transport.closed == (None, "")

        run(test)

    def test_when_it_is_lost_that_is_the_end(self) -> None:
        async def test() -> None:
            transport, errors = FakeTransport(), list[Exception]()
            store = MergeableStore("s1")
            async with WsSynchronizer(store, transport, on_ignored_error=errors.append) as synchronizer:
                syncing = synchronizer.start_sync([{}, {"v": 1}])
                transport.break_off()
                await syncing
                assert [str(error) for error in errors] == ["tinybase:5"]
                assert store.get_value("v") == 1
                assert not synchronizer.is_connected()

        run(test)

    def test_long_messages_are_cut(self) -> None:
        async def test() -> None:
            store, transport = MergeableStore("s1"), FakeTransport()
            async with WsSynchronizer(store, transport, fragment_size=20) as synchronizer:
                synchronizer.start_sync()
                pieces = [text.split("\n", 4) for text in transport.sent]
                assert json.loads("".join(piece[4] for piece in pieces))[1] == 1

        run(test)

    def test_the_caller_says_how_long_to_wait_for_an_answer(self) -> None:
        async def test() -> None:
            bench, transport = Bench(request_timeout=5), FakeTransport()
            bench.openings = [transport]
            async with bench.synchronizer as synchronizer:
                await settle()
                syncing = synchronizer.start_sync()
                await bench.clock.advance_and_settle(4999)
                assert not syncing.done()
                await bench.clock.advance_and_settle(1)
                await syncing
                assert [text[:11] for text in bench.error_texts] == ["tinybase:3:"]

        run(test)


class TestBadPayloads:
    @pytest.mark.parametrize(
        ("text", "close"),
        [
            ("bad", (1007, "tinybase:14")),
            ("B\nFRAGMENTFRAGMENT\n0\n1001\nx", (1013, "tinybase:15:fragments")),
        ],
    )
    def test_the_connection_is_closed_and_nothing_more_is_read(
        self, text: str, close: tuple[int, str]
    ) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings = [transport]
            async with bench.synchronizer as synchronizer:
                await settle()
                synchronizer.start_sync()
                transport.bring(text)
                transport.bring(f'B\n["x",3,[[{{}}],[{{"v":[5,"{HLC}"]}}],1]]')
                await settle()
                assert transport.closed == close
                assert close[1] in bench.error_texts
                assert not bench.store.has_value("v")

        run(test)

    def test_incomplete_messages_expire(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings = [transport]
            async with bench.synchronizer:
                await settle()
                transport.bring('B\nFRAGMENTFRAGMENT\n0\n2\n["x",4')
                await settle()
                await bench.clock.advance_and_settle(1000)
                transport.bring("B\nFRAGMENTFRAGMENT\n1\n2\n,{}]")
                transport.bring('B\nFRAGMENTFRAGMENT\n0\n2\n["x",4')
                await settle()
                assert [message[:2] for message in transport.take()] == [["x", 0]]

        run(test)

    def test_a_server_that_does_not_read_is_left(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings = [transport]
            async with bench.synchronizer as synchronizer:
                await settle()
                synchronizer.start_sync()
                transport.buffered = 16_777_216
                bench.clock.advance(1000)
                assert transport.closed == (1013, "tinybase:15:socket")
                assert "tinybase:15:socket" in bench.error_texts

        run(test)


class TestReconnecting:
    def test_it_tries_again_after_longer_and_longer_delays_and_reports_a_lasting_failure_once(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings = [OSError("away"), OSError("away"), OSError("away"), transport]
            async with bench.synchronizer as synchronizer:
                await settle()
                for seconds in (1, 2):
                    await bench.clock.advance_and_settle(seconds * 1000)
                await bench.clock.advance_and_settle(3999)
                assert not synchronizer.is_connected()
                await bench.clock.advance_and_settle(1)
                await synchronizer.connected()
                assert bench.states == [True]
                assert bench.error_texts == ["away"]

        run(test)

    def test_what_was_edited_meanwhile_is_told_when_the_next_connection_is_open(self) -> None:
        async def test() -> None:
            bench, first, second = Bench(), FakeTransport(), FakeTransport()
            bench.openings = [first]
            async with bench.synchronizer as synchronizer:
                await settle()
                synchronizer.start_sync()
                bench.clock.advance(1000)
                first.break_off()
                await settle()
                assert bench.states == [True, False]
                bench.store.set_value("v", 1)
                bench.openings = [second]
                await bench.clock.advance_and_settle(1000)
                assert [message[1] for message in second.take()] == [1]
                await bench.clock.advance_and_settle(1000)
                ((_, number, hashes),) = second.take()
                assert (number, hashes) == (2, list(bench.store.get_mergeable_content_hashes()))
                assert bench.error_texts == [
                    text for text in bench.error_texts if text.startswith("tinybase:3")
                ]

        run(test)

    def test_started_without_a_connection_it_goes_on_with_initial_content_and_asks_later(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings = [OSError("away"), transport]
            async with bench.synchronizer as synchronizer:
                await synchronizer.start_sync([{}, {"v": 1}])
                assert bench.store.get_value("v") == 1
                await settle()
                await bench.clock.advance_and_settle(1000)
                assert [message[1] for message in transport.take()] == [1]

        run(test)

    def test_requests_that_wait_when_it_is_lost_fail(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings = [transport]
            async with bench.synchronizer as synchronizer:
                await settle()
                syncing = synchronizer.start_sync()
                transport.break_off()
                await syncing
                assert bench.error_texts[0] == "tinybase:5"

        run(test)

    def test_the_delays_begin_anew_when_something_has_come(self) -> None:
        async def test() -> None:
            bench, first, second = Bench(), FakeTransport(), FakeTransport()
            bench.openings = [OSError("away"), OSError("away"), first]
            async with bench.synchronizer as synchronizer:
                await settle()
                await bench.clock.advance_and_settle(3000)
                first.bring('B\n["x",4,{}]')
                first.break_off()
                await settle()
                bench.openings = [second]
                await bench.clock.advance_and_settle(1000)
                assert synchronizer.get_transport() is second

        run(test)

    def test_leaving_ends_the_attempts(self) -> None:
        async def test() -> None:
            bench = Bench()
            async with bench.synchronizer as synchronizer:
                await settle()
                waiting = asyncio.ensure_future(synchronizer.connected())
                await settle()
            with pytest.raises(SyncClosedError):
                await waiting
            bench.openings = [FakeTransport()]
            await bench.clock.advance_and_settle(10_000)
            assert bench.states == []

        run(test)

    def test_a_failing_listener_is_reported(self) -> None:
        async def test() -> None:
            errors: list[Exception] = []

            def failing(_: bool) -> None:
                raise RuntimeError("listener")

            synchronizer = WsSynchronizer(
                MergeableStore(), FakeTransport(), on_connection=failing, on_ignored_error=errors.append
            )
            async with synchronizer:
                assert [str(error) for error in errors] == ["listener"]

        run(test)


class TestWebSockets:
    def test_two_stores_and_a_server_with_a_store(self) -> None:
        from durabase.sync_server import WsServer
        from unit.sync_server._fakes import MemoryPersister

        async def test() -> None:
            place: dict[str, Any] = {}
            server = WsServer(
                lambda path_id: MemoryPersister(MergeableStore(), place, path_id), lambda _: None
            )
            async with server, serve(server.handle, "127.0.0.1", 0) as listening:
                url = f"ws://127.0.0.1:{next(iter(listening.sockets)).getsockname()[1]}/room"
                one, two = MergeableStore(), MergeableStore()
                one.set_value("v", 1)
                changed = asyncio.Event()

                def look(*_: Any) -> None:
                    if two.get_values() == {"v": 1, "w": 2}:
                        changed.set()

                two.add_did_finish_transaction_listener(look)
                async with (
                    WsSynchronizer.connect(one, url) as first,
                    WsSynchronizer.connect(two, url) as second,
                ):
                    await first.connected()
                    await first.start_sync()
                    await second.connected()
                    await second.start_sync()
                    one.set_value("w", 2)
                    await changed.wait()
                    assert two.get_mergeable_content() == one.get_mergeable_content()
            assert place["room"][1][0]["w"][0] == 2

        run(test)


class TestSaved:
    def hashes(self, bench: Bench) -> str:
        return json.dumps(list(bench.store.get_mergeable_content_hashes()))

    async def asked(self, transport: FakeTransport) -> str:
        """The id of the one question that the server was asked."""
        await settle()
        (question,) = [text for text in transport.sent if text.startswith("S\n")]
        transport.sent.clear()
        request_id, number, body = json.loads(question.partition("\n")[2])
        assert (number, body) == (1, "")
        return str(request_id)

    def test_the_server_is_asked_until_it_has_everything(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings.append(transport)
            async with bench.synchronizer as synchronizer:
                await synchronizer.connected()
                bench.store.set_value("v", 1)
                saving = asyncio.ensure_future(synchronizer.saved())
                transport.bring(f'S\n["{await self.asked(transport)}",0,[0,0]]')
                await settle()
                assert transport.sent == []
                bench.clock.advance(20)
                request_id = await self.asked(transport)
                transport.bring(f'B\n["{request_id}",0,{self.hashes(bench)}]')
                await settle()
                assert not saving.done(), "a client has answered, not the server"
                transport.bring(f'S\n["{request_id}",0,{self.hashes(bench)}]')
                await saving
                assert bench.errors == []

        run(test)

    def test_an_answer_that_does_not_come_is_asked_for_again(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings.append(transport)
            async with bench.synchronizer as synchronizer:
                await synchronizer.connected()
                saving = asyncio.ensure_future(synchronizer.saved())
                first = await self.asked(transport)
                bench.clock.advance(1000)
                await settle()
                bench.clock.advance(20)
                assert await self.asked(transport) != first
                saving.cancel()

        run(test)

    def test_after_some_tries_the_exchange_is_begun_anew(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings.append(transport)
            async with bench.synchronizer as synchronizer:
                await synchronizer.connected()
                bench.store.set_value("v", 1)
                synchronizer.start_sync()
                saving = asyncio.ensure_future(synchronizer.saved())
                for _ in range(4):
                    transport.bring(f'S\n["{await self.asked(transport)}",0,[0,0]]')
                    await settle()
                    bench.clock.advance(1000)
                    await settle()
                assert [message[1] for message in transport.take()] == [1, 2]
                saving.cancel()

        run(test)

    def test_the_end_of_the_synchronizer_is_its_end(self) -> None:
        async def test() -> None:
            bench, transport = Bench(), FakeTransport()
            bench.openings.append(transport)
            async with bench.synchronizer as synchronizer:
                await synchronizer.connected()
                saving = asyncio.ensure_future(synchronizer.saved())
                await self.asked(transport)
            bench.clock.advance(1000)
            await settle()
            bench.clock.advance(1000)
            with pytest.raises(SyncClosedError):
                await saving

        run(test)
