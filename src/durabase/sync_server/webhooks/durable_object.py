"""A room that tells other services what changes in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from durabase._codec import json_text, unique_id
from durabase.errors import EntryTooLargeError, ServerError
from durabase.mergeable import MergeableStore
from durabase.sync_server._told_changes import told_changes
from durabase.sync_server.durable_object import WsServerDurableObject
from durabase.sync_server.webhooks.delivery import Delivery
from durabase.sync_server.webhooks.queue import Queue, QueuedEvent
from durabase.sync_server.webhooks.webhook import Webhook
from durabase.types import Changes
from durabase.web import Request, Response

__all__ = ["WebhookDurableObject"]

_CHANGED: Final = "room.changed"


class WebhookDurableObject(WsServerDurableObject):
    """A :class:`WsServerDurableObject` that tells webhooks of each transaction of its store.

    ::

        class Room(WebhookDurableObject):
            def create_persister(self):
                return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)

            def create_webhooks(self):
                return [Webhook("https://shop.example/hook", self.env.WEBHOOK_SECRET)]

    An event is kept in the object's storage, in the same commit as the change, until it has arrived: at
    least once, and in order for each address. The object's alarm belongs to this; a class that overrides
    :meth:`alarm` must call that of ``super()``, and sets no alarm of its own.
    """

    def __init__(self, ctx: Any, env: Any) -> None:
        self._deliveries: list[Delivery] = []
        super().__init__(ctx, env)

    # What subclasses may override

    def create_webhooks(self) -> Sequence[Webhook]:
        """The addresses to tell. The queue of one that is not among them any more is kept, and not sent."""
        return ()

    async def send_webhook(self, request: Request) -> Response:
        """Send one event, over the network. Override it to go by a proxy, or to refuse addresses."""
        from durabase.workers.compat.http_fetch import fetch  # here, for it loads a client that few need

        return await fetch(request)

    # What can be asked

    async def get_dead_webhooks(self) -> list[dict[str, Any]]:
        """The events that were laid aside after their last retry, at most the latest 100 of each address.

        Each has ``url``, ``id``, ``body``, ``attempts`` and ``fault``, why the last attempt failed.
        """
        return [
            {
                "url": delivery.webhook.url,
                "id": event.id,
                "body": event.body,
                "attempts": event.attempts,
                "fault": event.fault,
            }
            for delivery in self._deliveries
            for event in delivery.queue.dead()
        ]

    async def retry_dead_webhooks(self) -> int:
        """Have the events told again that were laid aside, after all others; how many there are."""
        now = self.clock.now_ms()
        count = sum(delivery.queue.revive(now) for delivery in self._deliveries)
        if count:
            self._run_at(now)
        return count

    # What the runtime calls

    async def alarm(self, info: Any = None) -> None:
        """Send what is due."""
        times = await asyncio.gather(*(delivery.run() for delivery in self._deliveries))
        due = [time for time in times if time is not None]
        if due:
            self._run_at(min(due))

    async def _start(self) -> None:
        await super()._start()
        if self._passing.seat is None:
            return
        for webhook in self.create_webhooks():
            queue = Queue(self.ctx.storage, webhook.name)
            delivery = Delivery(webhook, queue, self.clock, self.send_webhook, self._report_webhook)
            self._deliveries.append(delivery)
            if not queue.is_empty and self.ctx.storage.get_alarm().result is None:
                self._run_at(self.clock.now_ms())
        if self._deliveries:
            self._passing.seat.store.add_did_finish_transaction_listener(self._on_transaction)

    def _on_transaction(self, store: MergeableStore) -> None:
        changes = store.get_transaction_changes()
        now = self.clock.now_ms()
        has_to_run = [self._tell_delivery(delivery, changes, now) for delivery in self._deliveries]
        waits = not all(delivery.queue.is_empty for delivery in self._deliveries)
        if any(has_to_run) or (waits and self.ctx.storage.get_alarm().result is None):
            self._run_at(now)

    def _tell_delivery(self, delivery: Delivery, changes: Changes, now: int) -> bool:
        """Queue an event for one address, if it is told of such changes. Whether nothing waited before."""
        tables, values = changes[0], changes[1]
        wanted = delivery.webhook.tables
        if wanted is not None:
            tables = {table_id: table for table_id, table in tables.items() if table_id in wanted}
            values = {}
        if not (tables or values):
            return False
        was_empty = delivery.queue.is_empty
        event_id = f"msg_{unique_id()}"
        body = self._body_of(now, told_changes([tables, values, 1]))
        try:
            delivery.queue.add(QueuedEvent(event_id, body, now))
        except EntryTooLargeError:
            short = self._body_of(now, {"isTooLarge": True})
            delivery.queue.add(QueuedEvent(event_id, short, now))
        if delivery.queue.is_full:
            delivery.lay_oldest_aside("too many events wait")
        return was_empty

    def _body_of(self, now: int, told: dict[str, Any]) -> str:
        time = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
        data = {"room": self.ctx.id.name or str(self.ctx.id), **told}
        return json_text({"type": _CHANGED, "timestamp": time.replace("+00:00", "Z"), "data": data})

    def _run_at(self, time_ms: int) -> None:
        """Have :meth:`alarm` called at this time, or earlier if that is so already."""
        set_for = self.ctx.storage.get_alarm().result
        if set_for is None or set_for > time_ms:
            self.ctx.storage.set_alarm(time_ms)

    def _report_webhook(self, text: str) -> None:
        self._tell(self.on_ignored_error, ServerError(text))
