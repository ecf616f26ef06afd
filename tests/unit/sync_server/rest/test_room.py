"""Bodies, durability, and others who are in the room."""

from __future__ import annotations

import asyncio

import pytest

from durabase.errors import PersisterError
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from unit.sync_server._fakes import FakePort
from unit.sync_server.rest._asking import Asking, ask_all, json_of

BAD_BODIES = [b"", b"{", b"\xff", b"nul", b"[" * 300 + b"]" * 300, b"NaN", b'{"a":1}}', b"'a'", b'"\\ud8"']


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_is_no_json_is_400(body: bytes) -> None:
    async def test(ask: Asking) -> None:
        response = await ask("PUT", "/values/v", body)
        assert (response.status, response.headers["content-type"]) == (400, "application/problem+json")
        told = await json_of(response)
        assert (told["title"], told["status"]) == ("Bad Request", 400)
        assert ask.store.get_values() == {}

    ask_all(test)


@pytest.mark.parametrize(
    "kind", ["text/plain", "", "application/x-www-form-urlencoded", "application/merge-patch+json"]
)
def test_a_body_has_to_say_that_it_is_json(kind: str) -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("PUT", "/values/v", 5, content_type=kind)).status == 415
        assert (
            await ask("PUT", "/values/v", 5, content_type="Application/JSON; charset=utf-8")
        ).status == 201

    ask_all(test)


def test_a_body_that_is_too_long_is_413() -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("PUT", "/values/v", b" " * (MAX_PAYLOAD_BYTES + 1))).status == 413
        assert (await ask("PUT", "/values/v", b"1" + b" " * (MAX_PAYLOAD_BYTES - 1))).status == 201

    ask_all(test)


def test_the_answer_comes_when_it_is_saved() -> None:
    async def test(ask: Asking) -> None:
        gate = ask.persister.save_gate = asyncio.get_running_loop().create_future()
        asking = asyncio.ensure_future(ask("PUT", "/values/v", 5))
        for _ in range(20):
            await asyncio.sleep(0)
        assert (ask.store.get_value("v"), asking.done()) == (5, False)
        gate.set_result(None)
        assert (await asking).status == 201
        assert ask.place[""] == ask.store._get_encoded_mergeable_content()

    ask_all(test)


def test_what_can_not_be_saved_is_500_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(ask: Asking) -> None:
        def fails(*_: object) -> None:
            raise PersisterError("the disk is full")

        with monkeypatch.context() as patching:
            patching.setattr(ask.persister, "_write", fails)
            response = await ask("PUT", "/values/v", 5)
            assert response.status == 500
            assert "could not be saved" in (await json_of(response))["detail"]
        assert (await ask("PUT", "/values/v", 6)).status == 204
        assert ask.place[""] == ask.store._get_encoded_mergeable_content()

    ask_all(test)


def test_clients_that_are_there_get_it_at_once() -> None:
    async def test(ask: Asking) -> None:
        port = FakePort()
        ask.server.connect(port, "/pets", "A")
        ask.clock.advance(2)
        await asyncio.sleep(0)
        port.take()
        await ask("PUT", "/values/v", 5)
        (diff,) = port.take()
        assert '"v":[5,' in diff

    ask_all(test)


def test_a_server_that_is_destroyed_answers_503() -> None:
    async def test(ask: Asking) -> None:
        await ask.server.destroy()
        assert (await ask("GET", "/values")).status == 503

    ask_all(test)


def test_a_room_that_nobody_is_in_is_opened_and_closed_again() -> None:
    async def run() -> None:
        ask = Asking()
        async with ask.server:
            assert (await ask("PUT", "/values/v", 5)).status == 201
            assert ask.server.get_path_ids() == []
            assert "" in ask.place

    asyncio.run(run())
