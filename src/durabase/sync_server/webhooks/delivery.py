"""Sending the events of one address, one after the other, and what to do when that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final, final

from durabase.clock import Clock
from durabase.sync_server.webhooks.queue import Queue, QueuedEvent
from durabase.sync_server.webhooks.webhook import Webhook
from durabase.web import Request, Response

__all__ = ["Delivery"]

_RUN_MS: Final = 60_000
"""How long one run goes on; the next one goes on from there."""
_FAULT: Final = 500


@final
class Delivery:
    """The events for one address.

    Args:
        webhook: the address.
        queue: its events.
        clock: the time.
        send: sends a request.
        report: is told of events that are laid aside.
    """

    def __init__(
        self,
        webhook: Webhook,
        queue: Queue,
        clock: Clock,
        send: Callable[[Request], Awaitable[Response]],
        report: Callable[[str], object],
    ) -> None:
        self.webhook = webhook
        self.queue = queue
        self._clock = clock
        self._send = send
        self._report = report

    async def run(self) -> int | None:
        """Send what is due, in order, until something fails; when to go on, ``None`` if all is sent.

        What was answered with 200 to 299 has arrived. It is sent again if the server dies before it knows.
        """
        end = self._clock.now_ms() + _RUN_MS
        while (event := self.queue.first()) is not None:
            now = self._clock.now_ms()
            if event.due_ms > now or now > end:
                return event.due_ms
            number = self.queue.first_number
            fault = await self._attempt(event, now)
            if self.queue.first_number != number:
                continue  # it was laid aside meanwhile, for too many wait
            if fault is None:
                self.queue.remove_first()
            else:
                self._postpone(event, fault[:_FAULT])
        return None

    def lay_oldest_aside(self, fault: str) -> None:
        """Give up the event that has waited longest."""
        event = self.queue.first()
        if event is not None:
            self._lay_aside(replace(event, fault=fault))

    async def _attempt(self, event: QueuedEvent, now: int) -> str | None:
        """Send an event once; what is wrong if it has not arrived."""
        webhook = self.webhook
        headers = webhook.headers(event.id, now // 1000, event.body)
        request = Request(webhook.url, method="POST", headers=headers, body=event.body, redirect="manual")
        try:
            async with asyncio.timeout(webhook.timeout_seconds):
                response = await self._send(request)
                async with aclosing(response.iter_body()) as body:  # whatever it is, nobody waits for its end
                    await anext(body, None)
        except Exception as error:  # the network has many; none must keep other addresses from being told
            return f"{type(error).__name__}: {error}".replace(webhook.url, webhook.place)
        return None if response.ok else f"the answer was {response.status}"

    def _postpone(self, event: QueuedEvent, fault: str) -> None:
        delays = self.webhook.retry_seconds
        failed = replace(event, attempts=event.attempts + 1, fault=fault)
        if event.attempts < len(delays):
            due = self._clock.now_ms() + int(delays[event.attempts] * 1000)
            self.queue.postpone_first(replace(failed, due_ms=due))
        else:
            self._lay_aside(failed)

    def _lay_aside(self, event: QueuedEvent) -> None:
        self.queue.lay_first_aside(event)
        self._report(
            f"webhook {self.webhook.place}: the event {event.id} is laid aside "
            f"after {event.attempts} attempts: {event.fault}"
        )
