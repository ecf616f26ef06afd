"""Programs in the style from before ``WorkerEntrypoint``: handlers that are functions of the module.

``on_fetch(request, env, ctx)`` and ``on_scheduled(controller, env, ctx)`` become the methods of a
``Default`` class; as everywhere, arguments that the signature does not take are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from durabase.durable_objects.handlers import fitting_arguments
from durabase.workers.entrypoint import WorkerEntrypoint

__all__ = ["legacy_entrypoint"]

_HANDLERS = {"on_fetch": "fetch", "on_scheduled": "scheduled"}


def legacy_entrypoint(module: ModuleType) -> type[WorkerEntrypoint] | None:
    """Return a ``Default`` class of the module's handlers, ``None`` if it has none."""
    methods = {
        method: _method(function)
        for name, method in _HANDLERS.items()
        if callable(function := getattr(module, name, None))
    }
    return type("Default", (WorkerEntrypoint,), methods) if methods else None


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    limit = fitting_arguments(function)

    def handle(self: WorkerEntrypoint, event: Any) -> Any:
        return function(*(event, self.env, self.ctx)[:limit])

    return handle
