"""Durable Objects as configured: the classes that the host is told, the namespaces that ``env`` gets."""

from __future__ import annotations

from durabase.durable_objects import DurableObjectNamespace, ObjectClass, ObjectHost
from durabase.workers.config import Config
from durabase.workers.loader import Worker

__all__ = ["namespace_bindings", "object_classes"]

_SQLITE_VALUE_BYTES = 2 * 1024 * 1024
_DELETE_ALL_DELETES_ALARM = "2026-02-24"


def object_classes(config: Config, worker: Worker, max_value_bytes: int) -> list[ObjectClass]:
    """Return the classes to host: those that are configured and that the program has.

    ``max_value_bytes`` is for key-value classes; SQLite ones may store 2 MiB at least.
    """
    date = config.compatibility_date
    return [
        ObjectClass(
            configured.class_name,
            config.unique_key(configured),
            worker.object_classes[configured.class_name],
            configured.storage,
            max_value_bytes if configured.storage == "kv" else max(max_value_bytes, _SQLITE_VALUE_BYTES),
            delete_all_deletes_alarm=date is None or date >= _DELETE_ALL_DELETES_ALARM,
        )
        for configured in config.classes
        if configured.class_name in worker.object_classes
    ]


def namespace_bindings(config: Config, host: ObjectHost) -> dict[str, DurableObjectNamespace]:
    """Return what the Durable Object bindings put on ``env``."""
    return {binding.name: host.namespace(binding.class_name) for binding in config.durable_objects}
