"""Sending the events of one address, one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.sync_server.webhooks.delivery import Delivery
from durabase.sync_server.webhooks.queue import Queue, QueuedEvent
from durabase.sync_server.webhooks.webhook import Webhook
from durabase.testing import FakeClock
from durabase.web import Request, Response
from unit.durable_objects.storage.test_kv import in_object

kv_only = ("kv",)
NOW = 1_700_000_000_000
SIGNING = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://ann:secret@one.example/hook?key=secret"


class Rig:
    """An address whose answers are ``answers``, one after the other, and then 204."""

    def __init__(self, storage: Any, count: int = 0, **options: Any) -> None:
        self.clock = FakeClock(NOW)
        self.queue = Queue(storage, "hook")
        for number in range(count):
            self.queue.add(QueuedEvent(f"msg_{number}", f"body {number}", NOW))
        self.answers: list[Any] = []
        self.sent: list[Request] = []
        self.reports: list[str] = []
        webhook = Webhook(URL, SIGNING, **{"retry_seconds": [5, 60], **options})
        self.delivery = Delivery(webhook, self.queue, self.clock, self.send, self.reports.append)

    async def send(self, request: Request) -> Response:
        self.sent.append(request)
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            await answer()
            answer = 204
        return Response(None, answer)

    def ids(self) -> list[str | None]:
        return [request.headers.get("webhook-id") for request in self.sent]


@in_object(kinds=kv_only)
async def test_all_that_is_due_is_sent_in_order_and_signed(storage: Any) -> None:
    rig = Rig(storage, 3)
    assert await rig.delivery.run() is None
    assert rig.ids() == ["msg_0", "msg_1", "msg_2"]
    assert rig.queue.is_empty
    request = rig.sent[0]
    assert (request.url, request.method, await request.text()) == (URL, "POST", "body 0")
    expected = rig.delivery.webhook.headers("msg_0", NOW // 1000, "body 0")
    assert {name: request.headers.get(name) for name in expected} == expected


@in_object(kinds=kv_only)
async def test_what_is_not_due_yet_waits(storage: Any) -> None:
    rig = Rig(storage, 1)
    rig.queue.add(QueuedEvent("later", "body", NOW + 1))
    rig.queue.add(QueuedEvent("now", "body", NOW))
    assert await rig.delivery.run() == NOW + 1
    assert rig.ids() == ["msg_0"]


@in_object(kinds=kv_only)
async def test_what_fails_is_tried_again_ever_later_and_then_laid_aside(storage: Any) -> None:
    rig = Rig(storage, 2)
    rig.answers = [500, OSError(f"nobody is at {URL}"), 302]
    for due in (NOW + 5000, NOW + 65_000):
        assert await rig.delivery.run() == due
        rig.clock.set_now_ms(due)
    assert await rig.delivery.run() is None
    assert rig.ids() == ["msg_0"] * 3 + ["msg_1"]
    (dead,) = rig.queue.dead()
    assert (dead.id, dead.attempts, dead.fault) == ("msg_0", 3, "the answer was 302")
    assert rig.reports == [
        "webhook https://one.example/hook: the event msg_0 is laid aside after 3 attempts: the answer was 302"
    ]


@in_object(kinds=kv_only)
async def test_a_fault_tells_nothing_that_is_secret_in_the_url_and_is_not_endless(storage: Any) -> None:
    rig = Rig(storage, 1)
    rig.answers = [OSError(f"nobody is at {URL} " + "x" * 1000)]
    await rig.delivery.run()
    first = rig.queue.first()
    assert first is not None
    assert first.fault.startswith("OSError: nobody is at https://one.example/hook xxx")
    assert len(first.fault) == 500


@in_object(kinds=kv_only)
async def test_an_answer_that_takes_too_long_is_none(storage: Any) -> None:
    rig = Rig(storage, 1, timeout_seconds=0)
    rig.answers = [asyncio.Event().wait]
    assert await rig.delivery.run() == NOW + 5000
    first = rig.queue.first()
    assert first is not None
    assert first.fault.startswith("TimeoutError")


@in_object(kinds=kv_only)
async def test_a_run_goes_on_for_a_minute(storage: Any) -> None:
    rig = Rig(storage, 3)

    async def slow() -> None:
        rig.clock.set_now_ms(rig.clock.now_ms() + 30_001)

    rig.answers = [slow, slow, slow]
    assert await rig.delivery.run() == NOW
    assert rig.ids() == ["msg_0", "msg_1"]
    assert await rig.delivery.run() is None


@in_object(kinds=kv_only)
async def test_one_that_is_laid_aside_while_it_is_sent_is_not_removed_twice(storage: Any) -> None:
    rig = Rig(storage, 2)

    async def meanwhile() -> None:
        rig.delivery.lay_oldest_aside("too many wait")

    rig.answers = [meanwhile]
    assert await rig.delivery.run() is None
    assert rig.ids() == ["msg_0", "msg_1"]
    assert [(dead.id, dead.fault) for dead in rig.queue.dead()] == [("msg_0", "too many wait")]
    assert rig.reports[0].endswith("msg_0 is laid aside after 0 attempts: too many wait")
    rig.delivery.lay_oldest_aside("nobody waits")
    assert len(rig.queue.dead()) == 1


@pytest.mark.parametrize("status", [200, 204, 299])
def test_good_answers(status: int) -> None:
    @in_object(kinds=kv_only)
    async def test(storage: Any) -> None:
        rig = Rig(storage, 1)
        rig.answers = [status]
        assert await rig.delivery.run() is None
        assert rig.queue.dead() == []

    test("kv")
