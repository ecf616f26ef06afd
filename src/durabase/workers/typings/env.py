"""The stub of a worker's own ``env``: its bindings, and the methods of what is behind them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from durabase.durable_objects.handlers import RESERVED
from durabase.workers.config import Config
from durabase.workers.loader import Worker
from durabase.workers.typings.hints import IMPORTS, annotations_of, signature, spelt

__all__ = ["env_stub"]

_HEAD = f'''"""What `env` has. Written by `durabase types`."""

{IMPORTS}
from typing import Protocol

from workers._runtime import Assets, DurableObjectNamespace, DurableObjectStub, KvNamespace, Service

'''


def env_stub(programs: Sequence[tuple[Config, Worker]], known: Mapping[type, str]) -> str:
    """Return the stub of the module ``worker_env``.

    Args:
        programs: the workers with their programs; ``Env`` is the first one's.
        known: the names of the classes that have stubs.
    """
    config, _ = programs[0]
    others = {other.name: program for other, program in programs}
    stubs: dict[str, str] = {}
    lines = list(_bindings(config, others, stubs, known))
    body = "".join(f"    {line}\n" for line in lines) or "    ...\n"
    return f"{_HEAD}{''.join(stubs.values())}\nclass Env(Protocol):\n{body}"


def _bindings(
    config: Config, workers: Mapping[str, Worker], stubs: dict[str, str], known: Mapping[type, str]
) -> Iterator[str]:
    for name, value in config.vars.items():
        if name not in config.secrets:
            yield f"{name}: {_of_value(value)}"
    for name in config.secrets:
        yield f"{name}: str"
    for kv in config.kv_namespaces:
        yield f"{kv.name}: KvNamespace"
    for objects in config.durable_objects:
        worker = workers.get(objects.script_name or config.name)
        cls = worker.object_classes.get(objects.class_name) if worker is not None else None
        stub = _stub(objects.class_name, "DurableObjectStub", cls, objects.script_name or "", stubs, known)
        yield f"{objects.name}: DurableObjectNamespace[{stub}]"
    for service in config.services:
        target = workers.get(service.service)
        entrypoint = target.entrypoints.get(service.entrypoint) if target is not None else None
        other = "" if service.service == config.name else service.service
        stub = _stub(service.entrypoint, "Service", entrypoint, other, stubs, known)
        yield f"{service.name}: {stub}"
    if config.assets is not None and config.assets.binding is not None:
        yield f"{config.assets.binding}: Assets"


def _of_value(value: Any) -> str:
    match value:
        case None:
            return "None"
        case bool() | int() | float() | str():
            return type(value).__name__
    return "Any"  # an object gives its members as attributes


def _stub(
    name: str, base: str, cls: type | None, worker: str, stubs: dict[str, str], known: Mapping[type, str]
) -> str:
    """Have a class in ``stubs`` for what callers see of ``cls``, and return its name."""
    if cls is None:
        return "Any"
    title = "".join(part.capitalize() for part in worker.replace("_", "-").split("-")) + name + "Stub"
    methods = "".join(f"    {line}\n" for line in _methods(cls, known)) or "    ...\n"
    stubs[title] = f"\nclass {title}({base}):\n{methods}"
    return title


def _methods(cls: type, known: Mapping[type, str]) -> Iterator[str]:
    for name, member in inspect.getmembers_static(cls):
        owner = next(base for base in cls.__mro__ if name in vars(base))
        if (
            name.startswith("_")
            or name in RESERVED
            or owner.__module__.partition(".")[0] in ("durabase", "builtins")
        ):
            continue
        if isinstance(member, property):
            hint = annotations_of(member.fget).get("return", Any)
            yield "@property"
            yield f"def {name}(self) -> Awaitable[{spelt(hint, known)}]: ..."
        elif inspect.isfunction(member):
            hint = annotations_of(member).get("return", Any)
            yield f"def {name}{signature(member, known, result=f'Awaitable[{spelt(hint, known)}]')}: ..."
