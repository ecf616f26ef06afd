"""Durable Objects as configured: the classes that the host is told."""

from __future__ import annotations

from durabase.durable_objects import ObjectClass
from durabase.workers.config import Config
from durabase.workers.loader import Worker

__all__ = ["object_classes"]

_SQLITE_VALUE_BYTES = 2 * 1024 * 1024
_DELETE_ALL_DELETES_ALARM = "2026-02-24"


def object_classes(
    config: Config,
    worker: Worker,
    max_value_bytes: int,
    *,
    prefix: str = "",
    is_strict: bool = False,
    history_ms: int | None = None,
) -> list[ObjectClass]:
    """Return the classes to host: those that are configured and that the program has.

    Args:
        config: the configuration.
        worker: the program.
        max_value_bytes: for key-value classes; SQLite ones may store 2 MiB at least.
        history_ms: for how long objects of SQLite classes can go back in time.
        is_strict: whether values become, or are refused, as on Cloudflare.
        prefix: what the host's names of the classes begin with, to tell the workers apart.
    """
    date = config.compatibility_date
    return [
        ObjectClass(
            prefix + configured.class_name,
            config.unique_key(configured),
            worker.object_classes[configured.class_name],
            configured.storage,
            max_value_bytes if configured.storage == "kv" else max(max_value_bytes, _SQLITE_VALUE_BYTES),
            idle_seconds=config.idle_seconds.get(configured.class_name),
            delete_all_deletes_alarm=date is None or date >= _DELETE_ALL_DELETES_ALARM,
            is_strict=is_strict,
            history_ms=history_ms,
        )
        for configured in config.classes
        if configured.class_name in worker.object_classes
    ]
