"""Rooms that tell webhooks: what is sent, when it is sent again, and what outlives a crash."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from durabase.errors import EntryTooLargeError
from durabase.sync_server import Webhook, WsServerDurableObject, object_room
from durabase.sync_server.webhooks import queue
from durabase.testing import WorkerHarness
from unit.sync_server.test_object_room import TOML
from unit.workers.programs import write_program

SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PROGRAM = """
    from durabase import MergeableStore
    from durabase.persisters import DurableObjectStoragePersister
    from durabase.sync_server import Webhook, WebhookDurableObject, WsServerDurableObject
    from durabase.workers import DurableObject, Response, WorkerEntrypoint

    SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    class Room(WebhookDurableObject):
        sent = []
        statuses = {}
        errors = []
        hooks = [Webhook("https://one.example/", SIGNING, retry_seconds=[5, 60])]

        def create_persister(self):
            return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

        def create_webhooks(self):
            return self.hooks

        async def send_webhook(self, request):
            self.sent.append((request.url, dict(request.headers.items()), await request.text()))
            status = self.statuses.get(request.url, 204)
            if status == 0:
                raise OSError("nobody is there")
            return Response(None, status=status)

        def on_ignored_error(self, error):
            self.errors.append(str(error))

    class Relay(WebhookDurableObject):
        def create_webhooks(self):
            raise AssertionError("there is no store to tell of")

    class Other(DurableObject):
        pass

    class Default(WorkerEntrypoint):
        pass
"""
ONE, TWO = "https://one.example/", "https://two.example/"


class Stage:
    """A worker, and what its room ``pets/a`` has sent."""

    def __init__(self, worker: WorkerHarness) -> None:
        self.worker = worker
        self.cls: Any = worker.program.object_classes["Room"]

    async def edit(self, edit: Callable[[Any], object]) -> None:
        async with object_room(self.worker.env.ROOM, "pets/a") as room:
            edit(room.store)
        await self.worker.settle()

    async def set_value(self, value: Any) -> None:
        await self.edit(lambda store: store.set_value("v", value))

    def take(self) -> list[tuple[str, Any]]:
        """Where to events were sent, and their data."""
        sent = [(url, json.loads(body)["data"]) for url, _, body in self.cls.sent]
        self.cls.sent.clear()
        return sent

    def taken_values(self) -> list[Any]:
        return [data["values"].get("v") for _, data in self.take()]


def run(tmp_path: Path, test: Callable[[Stage], Awaitable[None]]) -> None:
    worker = WorkerHarness(write_program(tmp_path, PROGRAM, TOML), leak_check=True)

    async def use() -> None:
        await test(Stage(worker))

    worker.run(use)


def test_each_transaction_is_told_once_and_signed(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        now = stage.worker.clock.now_ms()
        await stage.edit(lambda store: store.set_row("pets", "fido", {"species": "dog", "price": 5}))
        ((url, headers, body),) = stage.cls.sent
        signed = Webhook(ONE, SIGNING).headers(headers["webhook-id"], now // 1000, body)
        assert (url, headers) == (ONE, signed)
        assert json.loads(body) == {
            "type": "room.changed",
            "timestamp": "2023-11-14T22:13:20.000Z",
            "data": {
                "room": "pets/a",
                "tables": {"pets": {"fido": {"species": "dog", "price": 5}}},
                "values": {},
                "deleted": [],
            },
        }
        stage.take()
        await stage.edit(lambda store: store.del_cell("pets", "fido", "price").set_value("v", 1))
        cell = ["tables", "pets", "rows", "fido", "cells", "price"]
        first, second = (data for _, data in stage.take())
        assert (first["deleted"], second["values"]) == ([cell], {"v": 1})
        await stage.worker.advance(100_000)
        await stage.edit(lambda store: store.set_value("v", 1))
        assert stage.take() == []

    run(tmp_path, test)


def test_what_fails_is_tried_again_in_order_and_then_laid_aside(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stage.cls.statuses = {ONE: 503}
        await stage.set_value(1)
        await stage.set_value(2)
        assert stage.taken_values() == [1]
        await stage.worker.advance(4.9)
        assert stage.take() == []
        stage.cls.statuses = {ONE: 0}
        await stage.worker.advance(0.2)
        assert stage.taken_values() == [1]
        await stage.worker.advance(59)
        assert stage.take() == []
        stage.cls.statuses = {ONE: 302}
        await stage.worker.advance(2)
        assert stage.taken_values() == [1, 2]  # the first is laid aside, the second one's turn has come
        (error,) = stage.cls.errors
        assert "after 3 attempts: the answer was 302" in error
        stage.cls.statuses = {}
        await stage.worker.advance(5)
        assert stage.taken_values() == [2]
        stub = stage.worker.env.ROOM.get_by_name("pets/a")
        (dead,) = await stub.get_dead_webhooks()
        assert (dead["url"], dead["attempts"], dead["fault"]) == (ONE, 3, "the answer was 302")
        assert await stub.retry_dead_webhooks() == 1
        await stage.worker.settle()
        assert stage.taken_values() == [1]
        assert await stub.get_dead_webhooks() == []
        assert await stub.retry_dead_webhooks() == 0

    run(tmp_path, test)


def test_every_attempt_has_the_same_id_and_its_own_time(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stage.cls.statuses = {ONE: 500}
        await stage.set_value(1)
        await stage.worker.advance(5)
        (_, first, body), (_, second, same_body) = stage.cls.sent
        assert (first["webhook-id"], body) == (second["webhook-id"], same_body)
        assert int(second["webhook-timestamp"]) == int(first["webhook-timestamp"]) + 5
        assert first["webhook-signature"] != second["webhook-signature"]

    run(tmp_path, test)


def test_what_waits_outlives_a_crash_and_wakes_the_object(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stage.cls.statuses = {ONE: 500}
        for value in range(3):
            await stage.set_value(value)
        assert stage.taken_values() == [0]
        await stage.worker.crash()
        stage = Stage(stage.worker)
        await stage.worker.advance(60)
        assert stage.taken_values() == [0, 1, 2]

    run(tmp_path, test)


def test_one_address_that_fails_does_not_make_others_wait(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stage.cls.hooks = [Webhook(ONE, SIGNING), Webhook(TWO, SIGNING)]
        stage.cls.statuses = {ONE: 500}
        await stage.set_value(1)
        await stage.set_value(2)
        assert [(url, data["values"]["v"]) for url, data in stage.take()] == [(ONE, 1), (TWO, 1), (TWO, 2)]

    run(tmp_path, test)


def test_an_address_may_be_told_of_some_tables_only(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stage.cls.hooks = [Webhook(ONE, SIGNING, tables=["pets"])]

        def edit(store: Any) -> None:
            with store.transaction():
                store.set_cell("pets", "fido", "a", 1).set_cell("shops", "one", "a", 1).set_value("v", 1)

        await stage.edit(edit)
        await stage.set_value(2)
        await stage.edit(lambda store: store.del_table("shops"))
        ((_, data),) = stage.take()
        assert data == {"room": "pets/a", "tables": {"pets": {"fido": {"a": 1}}}, "values": {}, "deleted": []}

    run(tmp_path, test)


def test_an_event_that_is_too_large_for_storage_says_so(tmp_path: Path, monkeypatch: Any) -> None:
    async def test(stage: Stage) -> None:
        add = queue.Queue.add

        def refuse_long(self: queue.Queue, event: queue.QueuedEvent) -> None:
            if len(event.body) > 1000:
                raise EntryTooLargeError("too large", "key", len(event.body), 1000)
            add(self, event)

        monkeypatch.setattr(queue.Queue, "add", refuse_long)
        await stage.set_value("x" * 2000)
        ((_, data),) = stage.take()
        assert data == {"room": "pets/a", "isTooLarge": True}

    run(tmp_path, test)


def test_no_more_wait_than_there_is_room_for(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(queue, "MAX_WAITING", 3)
    monkeypatch.setattr(queue, "MAX_DEAD", 2)

    async def test(stage: Stage) -> None:
        stage.cls.statuses = {ONE: 500}
        for value in range(7):
            await stage.set_value(value)
        stub = stage.worker.env.ROOM.get_by_name("pets/a")
        dead = await stub.get_dead_webhooks()
        assert [json.loads(event["body"])["data"]["values"]["v"] for event in dead] == [2, 3]
        assert {event["fault"] for event in dead} == {"too many events wait"}
        stage.cls.statuses, _ = {}, stage.take()
        await stage.worker.advance(5)
        assert stage.taken_values() == [4, 5, 6]

    run(tmp_path, test)


def test_what_the_program_deletes_is_not_told_and_what_comes_then_is(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stage.cls.statuses = {ONE: 500}
        await stage.set_value(1)
        await stage.set_value(2)
        stub = stage.worker.env.ROOM.get_by_name("pets/a")
        await stage.worker.run_in_durable_object(stub, lambda _, ctx: ctx.storage.delete_all())
        stage.cls.statuses, _ = {}, stage.take()
        await stage.set_value(3)
        assert stage.taken_values() == [3]

    run(tmp_path, test)


def test_a_room_without_a_store_tells_nothing(tmp_path: Path) -> None:
    async def test(stage: Stage) -> None:
        stub = stage.worker.env.RELAY.get_by_name("a")
        assert await stub.get_dead_webhooks() == []

    run(tmp_path, test)


def test_rooms_without_webhooks_have_no_alarm() -> None:
    assert not hasattr(WsServerDurableObject, "alarm")
