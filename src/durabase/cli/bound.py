"""What a worker is bound to, for people: one line for each name of ``env``."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from durabase.workers.config import Config
from durabase.workers.config.fields import shown

__all__ = ["STORAGES", "Bound", "bound", "shown_path"]

STORAGES = {"kv": "key-value storage", "sqlite": "SQLite storage"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A name of ``env``: its kind, and what it stands for."""

    kind: str
    name: str
    what: str

    def __str__(self) -> str:
        sign = "=" if self.kind in ("Var", "Secret") else "→"
        return f"env.{self.name} {sign} {self.what}"


def bound(config: Config, workers: Collection[str]) -> Iterator[Bound]:
    """Yield what is bound, given the names of the ``workers`` that there are. Secrets are not told."""
    storage = {configured.class_name: configured.storage for configured in config.classes}
    for objects in config.durable_objects:
        of = objects.script_name or STORAGES[storage[objects.class_name]]
        yield Bound("Objects", objects.name, f"{objects.class_name} ({of})")
    for kv in config.kv_namespaces:
        yield Bound("KV", kv.name, kv.id)
    for service in config.services:
        of = service.entrypoint if service.service in workers else "not running here"
        yield Bound("Service", service.name, f"{service.service} ({of})")
    if config.assets is not None and config.assets.binding is not None:
        yield Bound("Assets", config.assets.binding, shown_path(Path(config.assets.directory)))
    for name, value in config.vars.items():
        yield Bound("Var", name, "(hidden)" if name in config.secrets else shown(value))
    for name in config.secrets:
        if name not in config.vars:
            yield Bound("Secret", name, "(hidden)")
    for name, product in config.unsupported.items():
        yield Bound("Missing", name, f"{product} (not supported here)")


def shown_path(path: Path) -> str:
    """Return the path as seen from here, absolute if it is not below."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
