"""What leaves an object for somewhere outside waits, like its responses, until its writes are safe."""

from __future__ import annotations

import asyncio

from durabase.web import socket_owner

__all__ = ["writes_safe"]


async def writes_safe() -> None:
    """Wait until what the running object has written is durable; outside of objects, not at all.

    If a write is lost the object is reset, and this never returns.
    """
    owner = socket_owner.get()
    if owner is None or owner.output.is_open:
        return
    safe = asyncio.get_running_loop().create_future()
    owner.output.hold(lambda: None if safe.done() else safe.set_result(None))
    await safe
