"""Type hints as the text of a stub. What programs do not know by name becomes ``Any``."""

from __future__ import annotations

import asyncio
import collections.abc
import inspect
import sys
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from durabase.durable_objects import RpcPromise
from durabase.durable_objects.storage.done import Done

__all__ = ["IMPORTS", "annotations_of", "evaluated", "is_internal", "signature", "spelt"]

_ABCS = (
    "AsyncIterable",
    "AsyncIterator",
    "Awaitable",
    "Callable",
    "Iterable",
    "Iterator",
    "Mapping",
    "Sequence",
)
IMPORTS = f"""import builtins
from collections.abc import {", ".join(_ABCS)}
from datetime import datetime
from typing import Any, Literal"""
"""What the hints of a stub need."""

_PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    bytearray,
    memoryview,
    object,
    dict,
    list,
    tuple,
    set,
)
_SHADOWED = (bytes, list, set)  # methods of some classes have these names
_AWAITABLE = (asyncio.Future, Done, RpcPromise)


def spelt(hint: Any, known: Mapping[type, str]) -> str:
    """Return a hint as text.

    Args:
        hint: a type, as annotations have them at run time.
        known: the names of further classes.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is None or hint is type(None):
        return "None"
    if origin in (typing.ClassVar, typing.Final, typing.Annotated):
        return spelt(arguments[0], known)
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(dict.fromkeys(spelt(one, known) for one in arguments))
    if (origin or hint) in _AWAITABLE or origin in (collections.abc.Awaitable, collections.abc.Coroutine):
        return f"Awaitable[{spelt(arguments[-1], known) if arguments else 'Any'}]"
    if origin is collections.abc.Callable:
        return f"Callable[..., {spelt(arguments[-1], known)}]"
    if origin is not None:
        return _generic(origin, arguments, known)
    return known.get(hint) or _name(hint) if isinstance(hint, type) else "Any"


def _generic(origin: Any, arguments: tuple[Any, ...], known: Mapping[type, str]) -> str:
    name = _name(origin) if isinstance(origin, type) else "Any"
    if name == "Any":
        return "Any"
    inner = ", ".join("..." if one is Ellipsis else spelt(one, known) for one in arguments)
    return f"{name}[{inner}]"


def _name(hint: type) -> str:
    if hint in _SHADOWED:
        return f"builtins.{hint.__name__}"
    if hint in _PLAIN or (issubclass(hint, BaseException) and hint.__module__ == "builtins"):
        return hint.__name__
    if hint.__module__ == "collections.abc":
        return hint.__name__ if hint.__name__ in _ABCS else "Any"
    return "datetime" if hint.__module__ == "datetime" and hint.__name__ == "datetime" else "Any"


def annotations_of(thing: Any) -> dict[str, Any]:
    """Return the hints of a function or class, those that can be found out."""
    names = getattr(thing, "__globals__", None) or vars(sys.modules[thing.__module__])
    found: dict[str, Any] = {}
    for name, hint in inspect.get_annotations(thing).items():
        if (known := evaluated(hint, names)) is not inspect.Parameter.empty:
            found[name] = known
    return found


def evaluated(hint: Any, names: Mapping[str, Any]) -> Any:
    """Return what the text of a hint means, :attr:`inspect.Parameter.empty` if that can't be found out."""
    holder = types.SimpleNamespace(__annotations__={"it": hint})
    try:
        return typing.get_type_hints(holder, dict(names))["it"]
    except Exception:  # a name that is there for type checkers only, or one of the program's own
        return inspect.Parameter.empty


def is_internal(hint: Any, known: Mapping[type, str]) -> bool:
    """Tell whether a hint is about a class that programs know nothing of."""
    arguments = typing.get_args(hint)
    if arguments:
        return any(is_internal(one, known) for one in (typing.get_origin(hint), *arguments))
    if not isinstance(hint, type) or hint in known or hint in _AWAITABLE:
        return False
    return hint.__module__.startswith("durabase.")


def signature(function: Callable[..., Any], known: Mapping[type, str], *, result: str | None = None) -> str:
    """Return ``(self, a: int, *, b: str = ...) -> None`` for a function; what has no hint is ``Any``."""
    hints = annotations_of(function)
    written = inspect.signature(function)
    parts: list[str] = []
    was_named = False
    for number, parameter in enumerate(written.parameters.values()):
        if parameter.kind is parameter.KEYWORD_ONLY and not was_named:
            parts.append("*")
        was_named = was_named or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        parts.append(_parameter(parameter, hints, known, bare=number == 0))
        if _ends_positional(number, written):
            parts.append("/")
    returned = spelt(hints["return"], known) if "return" in hints else "Any"
    returned = "None" if function.__name__ == "__init__" else returned
    return f"({', '.join(parts)}) -> {result or returned}"


def _parameter(
    parameter: inspect.Parameter, hints: Mapping[str, Any], known: Mapping[type, str], *, bare: bool
) -> str:
    star = (
        "*"
        if parameter.kind is parameter.VAR_POSITIONAL
        else "**"
        if parameter.kind is parameter.VAR_KEYWORD
        else ""
    )
    if bare and parameter.name in ("self", "cls"):
        return parameter.name
    hint = spelt(hints[parameter.name], known) if parameter.name in hints else "Any"
    default = "" if parameter.default is parameter.empty else " = ..."
    return f"{star}{parameter.name}: {hint}{default}"


def _ends_positional(number: int, written: inspect.Signature) -> bool:
    parameters = list(written.parameters.values())
    only = inspect.Parameter.POSITIONAL_ONLY
    is_last = number + 1 == len(parameters) or parameters[number + 1].kind is not only
    return parameters[number].kind is only and is_last
