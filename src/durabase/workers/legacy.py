"""Programs in the style from before ``WorkerEntrypoint``: handlers that are functions of the module.

``on_fetch(request, env, ctx)`` and ``on_scheduled(controller, env, ctx)`` become the methods of a
``Default`` class; as everywhere, arguments that the signature does not take are left out.
"""

from __future__ import annotations

import os.path
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from durabase.durable_objects.handlers import fitting_arguments
from durabase.workers.config import Config
from durabase.workers.entrypoint import WorkerEntrypoint

__all__ = ["legacy_entrypoint", "takes_functions"]

_HANDLERS: Final = {"on_fetch": "fetch", "on_scheduled": "scheduled"}
_ONLY_CLASSES_SINCE: Final = "2025-08-14"


def takes_functions(config: Config) -> bool:
    """Whether functions of the module are handlers: by the compatibility date, or as a flag says."""
    if "disable_python_no_global_handlers" in config.compatibility_flags:
        return True
    date = config.compatibility_date
    only_classes = "python_no_global_handlers" in config.compatibility_flags
    return not only_classes and date is not None and date < _ONLY_CLASSES_SINCE


def legacy_entrypoint(module: ModuleType) -> type[WorkerEntrypoint] | None:
    """Return a ``Default`` class of the module's handlers, ``None`` if it has none."""
    functions = {name: getattr(module, name, None) for name in _HANDLERS}
    if not any(map(callable, functions.values())):
        return None
    main = os.path.basename(module.__file__ or module.__name__)
    methods = {
        method: _method(function) if callable(function := functions[name]) else _missing(name, main)
        for name, method in _HANDLERS.items()
    }
    return type("Default", (WorkerEntrypoint,), methods)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    limit = fitting_arguments(function)

    def handle(self: WorkerEntrypoint, event: Any) -> Any:
        return function(*(event, self.env, self.ctx)[:limit])

    return handle


def _missing(name: str, main: str) -> Callable[..., Any]:
    def handle(self: WorkerEntrypoint, event: Any) -> Any:
        raise TypeError(f'Python entrypoint "{main}" does not export a handler named "{name}"')

    return handle
