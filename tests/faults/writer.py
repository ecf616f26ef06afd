"""A program for the crash tests: objects that write in turns and say on standard output what is acknowledged.

Each turn writes two keys of one object that must never be seen apart, and one shared count. A line
``object number`` is printed when the result of the call has come, that is, after the turn is durable.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost

OBJECTS = 5


class Ledger(DurableObject):
    async def write(self, number: int) -> int:
        await self.ctx.storage.put("left", number)
        padding = "x" * (number % 50 * 100)
        await self.ctx.storage.put({"right": number, f"entry {number:06}": padding})
        await self.ctx.storage.delete(f"entry {number - 20:06}")
        return number

    async def read(self) -> dict[str, Any]:
        return dict(await self.ctx.storage.list())


def opened(folder: str, storage: Any) -> ObjectHost:
    host = ObjectHost(folder)
    host.register(ObjectClass("Ledger", "faults-Ledger", Ledger, storage))
    return host


async def write(host: ObjectHost, name: str) -> None:
    stub = host.namespace("Ledger").get_by_name(name)
    number = (await stub.read()).get("left", 0)
    while True:
        number = await stub.write(number + 1)
        os.write(1, f"{name} {number}\n".encode())


async def main(folder: str) -> None:
    async with opened(folder, os.environ["STORAGE"]) as host, asyncio.TaskGroup() as group:
        for number in range(OBJECTS):
            group.create_task(write(host, f"o{number}"))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
