"""What happens in a room, as server-sent events of the HTML standard.

First comes the content as a whole, unless the client says by ``Last-Event-ID`` that it has just that; then
the changes of each transaction. The id of an event is the content's hashes, so it is good over restarts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final, final

from durabase._codec import json_text
from durabase.clock import TimerClock
from durabase.mergeable import MergeableStore
from durabase.sync_server._told_changes import told_changes
from durabase.sync_server.access import ANYBODY, Access
from durabase.sync_server.rest.conditions import entity_tag
from durabase.web import Request, Response

__all__ = ["HEARTBEAT_SECONDS", "MAX_WAITING_BYTES", "event_stream", "events_response"]

HEARTBEAT_SECONDS: Final = 15.0
"""How long nothing comes at most, so that everybody on the way knows that the stream is alive."""
MAX_WAITING_BYTES: Final = 1 << 20
"""How much waits for a client that does not read, if it is more than one event; then its stream ends. It will
come back, and gets a snapshot."""

_HEARTBEAT: Final = b":\n\n"
_HEADERS: Final = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # or some proxies would keep events back
}


def events_response(stream: AsyncIterator[bytes]) -> Response:
    """The response that a stream of events is the body of."""
    return Response(stream, headers=_HEADERS)


async def event_stream(
    store: MergeableStore, clock: TimerClock, request: Request, access: Access = ANYBODY
) -> AsyncGenerator[bytes, None]:
    """The events of a store from now on, until the client does not read any more.

    Args:
        clock: for the heartbeat.
        request: whose ``Last-Event-ID`` says what the client has.
        access: of the client; the stream ends when it is over.
    """
    feed = _Feed(store, clock, access)
    try:
        if request.headers.get("last-event-id") == _state_of(store):
            yield _HEARTBEAT
        else:
            yield _event("snapshot", store, store.get_content())
        while (piece := await feed.next_piece()) is not None:
            yield piece
    finally:
        feed.close()


@final
class _Feed:
    """The events of a store that one client has not read yet."""

    def __init__(self, store: MergeableStore, clock: TimerClock, access: Access) -> None:
        self._access = access
        self._store = store
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._is_over = False
        self._wake = asyncio.Event()
        self._listener_id = store.add_did_finish_transaction_listener(self._on_transaction)

    async def next_piece(self) -> bytes | None:
        """What waits, or a heartbeat if nothing comes for so long; ``None`` at the end."""
        if not (self._waiting or self._is_over):
            self._wake.clear()
            timer = self._clock.call_later(self._patience_seconds(), self._wake.set)
            try:
                await self._wake.wait()
            finally:
                timer.cancel()
        if self._is_over or self._access.is_over(self._clock.now_ms()):
            return None
        piece = b"".join(self._waiting)
        self._clear()
        return piece or _HEARTBEAT

    def _patience_seconds(self) -> float:
        ends = self._access.expires_at
        left = HEARTBEAT_SECONDS if ends is None else ends - self._clock.now_ms() / 1000
        return max(0.0, min(HEARTBEAT_SECONDS, left))

    def close(self) -> None:
        """Listen no more."""
        self._store.del_listener(self._listener_id)
        self._clear()

    def _on_transaction(self, store: MergeableStore) -> None:
        changes = store.get_transaction_changes()
        if self._is_over or not (changes[0] or changes[1]):
            return
        event = _event("changes", store, told_changes(changes))
        if self._waiting and self._size + len(event) > MAX_WAITING_BYTES:
            self._clear()
            self._is_over = True
        else:
            self._waiting.append(event)
            self._size += len(event)
        self._wake.set()

    def _clear(self) -> None:
        self._waiting.clear()
        self._size = 0


def _state_of(store: MergeableStore) -> str:
    return entity_tag(*store.get_mergeable_content_hashes()).strip('"')


def _event(kind: str, store: MergeableStore, data: Any) -> bytes:
    return f"id: {_state_of(store)}\nevent: {kind}\ndata: {json_text(data)}\n\n".encode()
