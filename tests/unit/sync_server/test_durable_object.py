"""WsServerDurableObject: what it does with sockets, storage and sleep."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.sync_server._fakes import FakeContext, FakePort, ObjectSockets, settle

NOW = 1_708_981_571_441
HLC = "NrbEJxl---0dmwzH"
URL = "https://h.example/room"
ASK_HASHES = '\n["abcdefghijk.0001",1,""]'
DIFF = f'\n["abcdefghijk",3,[[{{}}],[{{"v":[7,"{HLC}"]}}],1]]'


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


class ClosedGate:
    """An output gate that is closed until it is released."""

    def __init__(self) -> None:
        self.is_open = False
        self._held: list[Callable[[], object]] = []

    def hold(self, action: Callable[[], object]) -> None:
        self._held.append(action)

    def release(self) -> None:
        self.is_open = True
        for action in self._held:
            action()


class Stage:
    """An object on a fake context, with everything it does in one log."""

    def __init__(self, *, persisted: bool = True, name: str | None = None) -> None:
        self.log: list[Any] = []
        self.errors: list[str] = []
        self.clock = FakeClock(NOW)
        self.ctx = FakeContext(self.log, name)
        self.sockets = ObjectSockets(self.ctx)
        self.store: MergeableStore
        self.cls = self._make_class(persisted)

    def _make_class(self, persisted: bool) -> type[WsServerDurableObject]:
        stage = self

        class Staged(WsServerDurableObject):
            clock = stage.clock

            def create_persister(self) -> Any:
                if not persisted:
                    return None
                stage.store = MergeableStore("server", clock=stage.clock)
                return DurableObjectStoragePersister(stage.store, self.ctx.storage)

            def on_ignored_error(self, error: Exception) -> None:
                stage.errors.append(str(error))

        return Staged

    async def wake(self) -> None:
        await self.sockets.construct(self.cls)

    def connect(self, client: str, url: str = URL) -> FakePort:
        port = self.sockets.connect(client, url, FakePort(self.log, client))
        port.take()
        return port

    def hold_output(self, client: str) -> ClosedGate:
        """Let nothing of a client's socket leave that waits for storage."""
        gate = ClosedGate()
        self.sockets.socket(client).hold_output(gate)
        return gate

    def sent_to(self, client: str) -> list[str]:
        return [entry[1] for entry in self.log if entry[0] == client]


class TestLettingIn:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"upgrade": "websocket"},
            {"sec-websocket-key": "k"},
            {"upgrade": "h2c", "sec-websocket-key": "k"},
            {"upgrade": "websocket", "sec-websocket-key": "S"},
        ],
    )
    def test_anything_but_a_websocket_gets_426(self, headers: dict[str, str]) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            response = stage.sockets.object.fetch(Request(URL, headers=headers))
            assert (response.status, response.body_bytes()) == (426, b"Upgrade required")
            worker = SimpleNamespace(env=None)
            response = await ws_server_fetch("NS")(worker, Request(URL, headers=headers))
            assert response.status == 426

        run(test)

    def test_the_worker_sends_a_client_to_the_object_of_its_path(self) -> None:
        async def test() -> None:
            asked: list[Any] = []

            class Namespace:
                def id_from_name(self, name: str) -> tuple[str, str]:
                    return "id", name

                def get(self, id: Any) -> Any:
                    async def fetch(request: Request) -> Response:
                        asked.append((id, request.url))
                        return Response("from the object")

                    return SimpleNamespace(fetch=fetch)

            class Default:
                env = SimpleNamespace(NS=Namespace())
                fetch = ws_server_fetch("NS")

            headers = {"Upgrade": "WebSocket", "Sec-WebSocket-Key": "k"}
            response = await Default().fetch(Request("https://h/a%20b/../c?x=1", headers=headers))
            assert response.body_bytes() == b"from the object"
            assert asked == [(("id", "c"), "https://h/c?x=1")]

        run(test)

    @pytest.mark.parametrize("name", [None, "p" * 5000])
    def test_a_path_may_be_longer_than_a_tag(self, name: str | None) -> None:
        async def test() -> None:
            stage = Stage(persisted=False, name=name)
            await stage.wake()
            told: list[Any] = []
            stage.cls.on_client_id = lambda _self, *arguments: told.append(arguments)  # type: ignore[method-assign]
            path = "p" * 5000
            stage.connect("A", f"https://h/{path}")
            assert stage.sockets.object.get_path_id() == path
            await stage.wake()
            assert stage.sockets.object.get_path_id() == path
            stage.sockets.close("A")
            assert told == [(path, "A", 1), (path, "A", -1)]

        run(test)

    def test_ids_are_given_in_order_of_coming(self) -> None:
        async def test() -> None:
            stage = Stage(persisted=False)
            await stage.wake()
            assert (stage.sockets.object.get_path_id(), stage.sockets.object.get_client_ids()) == ("", [])
            for client in "CAB":
                stage.connect(client)
            assert stage.sockets.object.get_client_ids() == ["C", "A", "B"]
            assert stage.sockets.object.get_path_id() == "room"

        run(test)


class TestSleep:
    def test_the_message_that_wakes_it_is_handled_like_any_other(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            port = stage.connect("A")
            await stage.wake()
            stage.sockets.send("A", DIFF)
            assert stage.store.get_value("v") == 7
            assert stage.ctx.storage.entries['v"v"'][:2] == [7, HLC]
            stage.sockets.send("A", ASK_HASHES)
            (answer,) = port.take()
            hashes = list(stage.store.get_mergeable_content_hashes())
            assert json.loads(answer[2:]) == ["abcdefghijk.0001", 0, hashes]

        run(test)

    def test_waking_writes_nothing_and_finds_everything(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            stage.connect("A")
            stage.sockets.send("A", DIFF)
            content = stage.store.get_mergeable_content()
            stage.log.clear()
            await stage.wake()
            assert stage.log == []
            assert stage.store.get_mergeable_content() == content

        run(test)

    def test_it_asks_in_a_turn_of_its_own_and_tells_afterwards(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            port = stage.connect("A")
            stage.clock.advance(0)
            assert [json.loads(text[2:])[1] for text in port.take()] == [1]
            stage.clock.advance(1000)
            assert [json.loads(text[2:])[1] for text in port.take()] == [2]
            assert stage.errors == []

        run(test)

    def test_a_socket_that_was_closed_stays_out_after_sleep(self) -> None:
        async def test() -> None:
            stage = Stage(persisted=False)
            await stage.wake()
            port_a, port_b = stage.connect("A"), stage.connect("B")
            stage.sockets.send("A", "bad")
            assert port_a.closed == (1007, "tinybase:14")
            await stage.wake()
            stage.sockets.send("A", ASK_HASHES)
            stage.sockets.send("B", ASK_HASHES)
            assert (port_a.sent, port_b.sent) == ([], [])
            assert stage.errors == ["tinybase:14"]

        run(test)


class TestOrder:
    def test_a_relay_leaves_before_the_store_writes_and_an_answer_after(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            stage.connect("A")
            stage.connect("B")
            stage.log.clear()
            stage.sockets.send("A", DIFF)
            assert [entry[0] for entry in stage.log] == ["B", "put"]
            stage.sockets.send("A", '\n["t1xxxxxxxxx",2,[0,5]]')
            pull_id = json.loads(stage.sent_to("A")[-1][2:])[0]
            stage.log.clear()
            stage.sockets.send("A", f'S\n["{pull_id}",0,[{{"w":[1,"{HLC}"]}}]]')
            assert [entry[0] for entry in stage.log] == ["put", "A", "B"]

        run(test)

    def test_a_relay_does_not_wait_for_earlier_writes_but_what_the_store_says_does(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            port_a, port_b = stage.connect("A"), stage.connect("B")
            held = [stage.hold_output(client) for client in "AB"]
            stage.sockets.send("A", DIFF)
            stage.sockets.send("A", ASK_HASHES)
            assert port_b.take() == ["A" + DIFF, "A" + ASK_HASHES]
            assert port_a.take() == []
            held[0].release()
            assert json.loads(port_a.take()[0][2:])[:2] == ["abcdefghijk.0001", 0]

        run(test)

    def test_visible_only_when_durable_if_that_is_asked_for(self) -> None:
        async def test() -> None:
            stage = Stage()
            stage.cls.durable_before_visible = True
            await stage.wake()
            stage.connect("A")
            port = stage.connect("B")
            held = stage.hold_output("B")
            stage.log.clear()
            stage.sockets.send("A", DIFF)
            assert [entry[0] for entry in stage.log] == ["put"]
            held.release()
            assert port.take() == ["A" + DIFF]

        run(test)

    def test_edits_of_the_object_itself_are_told(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            port = stage.connect("A")
            stage.clock.advance(1000)
            port.take()
            stage.store.set_value("w", 1)
            assert [json.loads(text[2:])[1] for text in port.take()] == [3]
            assert stage.ctx.storage.entries['v"w"'][0] == 1

        run(test)


class TestBadClients:
    def test_bytes_are_invalid(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            port = stage.connect("A")
            stage.sockets.send("A", ASK_HASHES.encode())
            assert port.closed == (1007, "tinybase:14")

        run(test)

    def test_one_that_does_not_read_is_closed(self) -> None:
        async def test() -> None:
            stage = Stage()
            await stage.wake()
            stage.connect("A")
            port = stage.connect("B")
            port.buffered = 16_777_216
            stage.sockets.send("A", ASK_HASHES)
            assert port.closed == (1013, "tinybase:15:socket")
            stage.sockets.send("A", ASK_HASHES)
            assert stage.errors == ["tinybase:15:socket"]

        run(test)

    def test_incomplete_messages_expire(self) -> None:
        async def test() -> None:
            stage = Stage(persisted=False)
            await stage.wake()
            stage.connect("A")
            port = stage.connect("B")
            stage.sockets.send("A", '\nFRAGMENTFRAGMENT\n0\n2\n["x",1')
            stage.clock.advance(1000)
            stage.sockets.send("A", '\nFRAGMENTFRAGMENT\n1\n2\n,""]')
            stage.sockets.send("A", '\nFRAGMENTFRAGMENT\n0\n2\n["x",1')
            assert len(port.sent) == 2

        run(test)

    def test_one_whose_connection_breaks_is_gone(self) -> None:
        async def test() -> None:
            stage = Stage(persisted=False)
            await stage.wake()
            told: list[Any] = []
            stage.cls.on_client_id = lambda _self, *arguments: told.append(arguments)  # type: ignore[method-assign]
            stage.connect("A")
            port = stage.connect("B")
            stage.sockets.object.web_socket_error(stage.sockets.socket("B"), RuntimeError())
            stage.sockets.send("A", ASK_HASHES)
            assert port.sent == []
            assert told[-1] == ("room", "B", -1)

        run(test)


class TestOverriding:
    def test_failures_of_callbacks_do_not_keep_messages_from_passing(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test() -> None:
            stage = Stage(persisted=False)

            def failing(*_: Any) -> None:
                raise RuntimeError("callback")

            stage.cls.on_message = failing  # type: ignore[method-assign,assignment]
            await stage.wake()
            stage.connect("A")
            port = stage.connect("B")
            stage.sockets.send("A", ASK_HASHES)
            assert port.sent == ["A" + ASK_HASHES]

        run(test)
        assert "failing of Staged failed" in caplog.text

    def test_asynchronous_callbacks_are_seen_through(self) -> None:
        async def test() -> None:
            stage = Stage(persisted=False)

            async def on_client_id(*arguments: Any) -> str:
                return "done"

            stage.cls.on_client_id = on_client_id  # type: ignore[method-assign,assignment]
            await stage.wake()
            stage.connect("A")
            (waiting,) = stage.ctx.waited_for
            assert await waiting == "done"

        run(test)

    def test_create_persister_may_be_asynchronous_and_its_failure_resets_the_object(self) -> None:
        async def test() -> None:
            stage = Stage()

            async def create_persister(_self: Any) -> Any:
                raise OSError("no persister")

            stage.cls.create_persister = create_persister  # type: ignore[method-assign,assignment]
            with pytest.raises(OSError, match="no persister"):
                await stage.wake()

        run(test)

    def test_errors_are_logged_unless_somebody_wants_them(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            ctx = FakeContext()
            sockets = ObjectSockets(ctx)
            await sockets.construct(WsServerDurableObject)
            sockets.connect("A", URL, FakePort())
            sockets.send("A", "bad")
            await settle()

        run(test)
        assert "ignored" in caplog.text
