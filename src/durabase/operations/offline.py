"""The objects of a state directory that no server uses: to be looked at and changed without their program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.workers.class_ledger import ClassLedger
from durabase.workers.config import Config

__all__ = ["offline_host"]


class _Kept(DurableObject):
    """Stands in for the classes of a program: does nothing but keep what they have kept."""

    def alarm(self) -> None:
        """Alarms may be set, and do not run."""


@asynccontextmanager
async def offline_host(state_dir: Path, configs: Sequence[Config]) -> AsyncIterator[ObjectHost]:
    """A host of the objects of these workers, in which no code of theirs and no alarm runs.

    Raises:
        StorageError: a server uses the directory.
        ConfigError: the configurations do not fit what is there.
    """
    first, *others = ClassLedger(state_dir).plan(configs).configs
    host = ObjectHost(state_dir)
    for prefix, config in (("", first), *((f"{other.name}:", other) for other in others)):
        for known in config.classes:
            key = config.unique_key(known)
            name, storage = prefix + known.class_name, known.storage
            host.register(ObjectClass(name, key, _Kept, storage, continues_histories=True))
    async with host:
        host.scheduler.close()
        yield host
