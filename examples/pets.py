"""Edit the pets of the demo from a terminal, and see what others change.

    python examples/pets.py ws://127.0.0.1:8787/foo                  type commands, see changes as they come
    python examples/pets.py ws://127.0.0.1:8787/foo add rex dog      run one command and end

Commands: list · add NAME SPECIES · del ID · price SPECIES N · count (adds one to the counter) · quit

It ends with 0 when what was edited is on the server's disk. With ``--file pets.json`` the store is kept in a
file: what is edited while the server is away is not lost, and is told when it is back.
"""

# ruff: noqa: T201 (a terminal program prints)
from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import shlex
import sys
import threading
from collections.abc import AsyncIterator, Callable

from durabase import MergeableStore, get_unique_id
from durabase.persisters import FilePersister
from durabase.synchronizers.ws_client import WsSynchronizer

SECONDS_TO_CONNECT = 5.0
SECONDS_TO_SAVE = 10.0


class UsageError(Exception):
    """A command that can't be understood."""


def list_pets(store: MergeableStore) -> None:
    for pet_id, pet in store.get_table("pets").items():
        price = store.get_cell("species", str(pet.get("species")), "price")
        print(f"{pet_id}: {pet.get('name', pet_id)} the {pet.get('species')}, {price}")
    print(f"counter: {store.get_value('counter', 0)}")


def add_pet(store: MergeableStore, name: str, species: str) -> None:
    if not store.has_row("species", species):
        known = ", ".join(store.get_row_ids("species"))
        raise UsageError(f"there is no species {species!r}; there are: {known or 'none yet'}")
    store.set_row("pets", get_unique_id(), {"name": name, "species": species})


def delete_pet(store: MergeableStore, pet_id: str) -> None:
    if not store.has_row("pets", pet_id):
        raise UsageError(f"there is no pet {pet_id!r}")
    store.del_row("pets", pet_id)


def set_price(store: MergeableStore, species: str, price: str) -> None:
    try:
        number = float(price)
    except ValueError as error:
        raise UsageError(f"a price is a number, not {price!r}") from error
    if not math.isfinite(number):
        raise UsageError(f"a price is a number, not {price!r}")
    store.set_cell("species", species, "price", int(number) if number.is_integer() else number)


def count(store: MergeableStore) -> None:
    store.set_value("counter", lambda old: old + 1 if isinstance(old, int | float) else 1)


COMMANDS: dict[str, tuple[Callable[..., None], str]] = {
    "list": (list_pets, ""),
    "add": (add_pet, "NAME SPECIES"),
    "del": (delete_pet, "ID"),
    "price": (set_price, "SPECIES N"),
    "count": (count, ""),
}


def run_command(store: MergeableStore, words: list[str]) -> None:
    """Run one command on the store.

    Raises:
        UsageError: it is unknown, or its arguments do not fit.
    """
    name, *arguments = words
    if name not in COMMANDS:
        raise UsageError(f"unknown command {name!r}; there are: {', '.join(COMMANDS)}, quit")
    command, usage = COMMANDS[name]
    if len(arguments) != len(usage.split()):
        raise UsageError(f"usage: {name} {usage}")
    command(store, *arguments)


def print_changes(store: MergeableStore) -> None:
    """Print every change, one's own and others'."""

    def on_cell(_store, table_id, row_id, cell_id, new, old, _get_change):  # type: ignore[no-untyped-def]
        print(f"  {table_id}/{row_id}/{cell_id}: {old!r} -> {new!r}", flush=True)

    def on_value(_store, value_id, new, old, _get_change):  # type: ignore[no-untyped-def]
        print(f"  {value_id}: {old!r} -> {new!r}", flush=True)

    store.add_cell_listener(None, None, None, on_cell)
    store.add_value_listener(None, on_value)


async def lines() -> AsyncIterator[str]:
    """The lines of the terminal, read by a thread that does not keep the program from ending."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the program has ended meanwhile
            for line in sys.stdin:
                loop.call_soon_threadsafe(queue.put_nowait, line)
            loop.call_soon_threadsafe(queue.put_nowait, "quit")

    threading.Thread(target=read, daemon=True).start()
    while (line := (await queue.get()).strip()) != "quit":
        yield line


async def interact(store: MergeableStore) -> None:
    """Run the commands that are typed, until ``quit`` or the end of the input."""
    print_changes(store)
    list_pets(store)
    async for line in lines():
        try:
            words = shlex.split(line)
            if words:
                run_command(store, words)
        except (UsageError, ValueError) as error:
            print(error)


async def is_saved(synchronizer: WsSynchronizer, path: str | None) -> bool:
    """Wait until the server has on its disk what was edited; without a server the file has to do."""
    try:
        await asyncio.wait_for(synchronizer.saved(), SECONDS_TO_SAVE if synchronizer.is_connected() else 0)
    except TimeoutError:
        if path is None:
            print("the server has not confirmed that it has the edits", file=sys.stderr)
        return path is not None
    return True


async def run_once(
    synchronizer: WsSynchronizer, store: MergeableStore, path: str | None, words: list[str]
) -> int:
    try:
        run_command(store, words)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if await is_saved(synchronizer, path) else 1


async def main(url: str, path: str | None, words: list[str]) -> int:
    store = MergeableStore()
    is_quiet = bool(words)

    def tell(is_open: bool) -> None:
        if not is_quiet:
            print("(connected)" if is_open else "(offline)", flush=True)

    async with contextlib.AsyncExitStack() as stack:
        if path is not None:
            persister = await stack.enter_async_context(FilePersister(store, path))
            await persister.start_auto_load()
            await persister.start_auto_save()
        synchronizer = await stack.enter_async_context(
            WsSynchronizer.connect(
                store,
                url,
                on_ignored_error=lambda error: print(f"({error})", file=sys.stderr),
                on_connection=tell,
            )
        )
        try:
            await asyncio.wait_for(synchronizer.connected(), SECONDS_TO_CONNECT)
        except TimeoutError:
            kept = "; edits are kept in the file" if path else ""
            print(f"no server at {url}{kept}", file=sys.stderr)
            if is_quiet and path is None:
                return 1
        await synchronizer.start_sync()
        if is_quiet:
            return await run_once(synchronizer, store, path, words)
        await interact(store)
        return 0 if await is_saved(synchronizer, path) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Edit the pets of the demo from a terminal.")
    parser.add_argument("url", help="the room, such as ws://127.0.0.1:8787/foo")
    parser.add_argument("--file", help="where to keep the store")
    parser.add_argument(
        "command", nargs="*", help="list, add NAME SPECIES, del ID, price SPECIES N, or count"
    )
    options = parser.parse_intermixed_args()
    try:
        sys.exit(asyncio.run(main(options.url, options.file, options.command)))
    except KeyboardInterrupt:
        sys.exit(130)
