"""Durable Objects as configured: the classes that the host is told, the namespaces that ``env`` gets."""

from __future__ import annotations

from durabase.durable_objects import DurableObjectNamespace, ObjectClass, ObjectHost
from durabase.workers.config import Config
from durabase.workers.loader import Worker

__all__ = ["namespace_bindings", "object_classes"]


def object_classes(config: Config, worker: Worker, max_value_bytes: int) -> list[ObjectClass]:
    """Return the classes to host: those that are configured and that the program has."""
    return [
        ObjectClass(
            configured.class_name,
            config.unique_key(configured),
            worker.object_classes[configured.class_name],
            configured.storage,
            max_value_bytes,
        )
        for configured in config.classes
        if configured.class_name in worker.object_classes
    ]


def namespace_bindings(config: Config, host: ObjectHost) -> dict[str, DurableObjectNamespace]:
    """Return what the Durable Object bindings put on ``env``."""
    return {binding.name: host.namespace(binding.class_name) for binding in config.durable_objects}
