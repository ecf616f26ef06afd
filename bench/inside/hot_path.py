"""Rooms in one process, without sockets: messages in, merged, stored and passed on.

``python hot_path.py stored ROOMS MESSAGES`` gives costs as one line of JSON, ``relay`` those of rooms without
a store; ``… profile`` goes on until it is ended, for profilers. Each room is an object with two clients, one
of which sends changes of one cell, 16 a turn.
"""

from __future__ import annotations

import asyncio
import gc
import json
import math
import sys
import tempfile
import time
from typing import Any

from peak import peak_kib

from durabase import HybridClock, MergeableStore
from durabase.durable_objects import ObjectClass, ObjectHost
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject
from durabase.web import Request

BATCH = 16
clock = HybridClock("bench")


class Relay(WsServerDurableObject):
    """A room that only passes on."""


class Stored(WsServerDurableObject):
    """The program of the guide."""

    def create_persister(self) -> DurableObjectStoragePersister:
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)


class Client:
    """The port of a socket that counts what it gets."""

    def __init__(self) -> None:
        self.received = 0

    def send_text(self, text: str) -> None:
        self.received += 1

    def send_binary(self, data: bytes) -> None:
        raise AssertionError("no binary message is ever sent")

    def close(self, code: int | None, reason: str) -> None: ...

    def abort(self) -> None: ...

    def buffered_amount(self) -> int:
        return 0


async def enter(host: ObjectHost, room: str, key: str) -> tuple[Any, Client]:
    """A client's end of a new socket, and what counts there."""
    stub = host.namespace("room").get_by_name(room)
    headers = [("upgrade", "websocket"), ("sec-websocket-key", key)]
    response = await stub.fetch(Request(f"http://bench/{room}", headers=headers))
    client = Client()
    return response.web_socket.connect(client), client


def change(index: int) -> str:
    cell = json.dumps([index, clock.next()])
    return f'\n[null,3,[[{{"t1":[{{"r{index % 100}":[{{"c1":{cell}}}]}}]}}],[{{}}],1]]'


async def send_all(sinks: list[Any], messages: int) -> None:
    """So many messages, in turns of one batch a room."""
    sent = 0
    while sent < messages:
        for sink in sinks:
            for _ in range(min(BATCH, messages - sent)):
                sink.on_text(change(sent))
                sent += 1
            await asyncio.sleep(0)
            if sent >= messages:
                break


async def main(kind: type[WsServerDurableObject], rooms: int, messages: int, forever: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with ObjectHost(folder, idle_seconds=math.inf) as host:
            host.register(ObjectClass("room", "room", kind, "kv", max_value_bytes=131_072))
            before = peak_kib()
            senders = []
            for number in range(rooms):
                senders.append((await enter(host, f"room{number}", "sender"))[0])
                await enter(host, f"room{number}", "reader")
            await host.settle()
            memory = peak_kib() - before
            while forever:
                await send_all(senders, messages)
            gc.collect()  # what setting up has left is not the messages' cost
            start = time.process_time()
            await send_all(senders, messages)
            await host.settle()
            used = time.process_time() - start
    print(json.dumps({"µs a message": used / messages * 1e6, "KiB a room": memory / rooms}))


if __name__ == "__main__":
    kinds = {"relay": Relay, "stored": Stored}
    asyncio.run(main(kinds[sys.argv[1]], int(sys.argv[2]), int(sys.argv[3]), "profile" in sys.argv))
