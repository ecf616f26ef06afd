"""Read the recordings of TinyBase 10.0.1 and turn their tagged JSON into Python things.

The folder is the one that the environment variable ``DURABASE_VECTORS`` names, else the one of
this file. What JSON cannot express is an object with a ``$`` member:

======================================  ====================================================
``{"$": "undefined"}``                  :data:`durabase.types.UNDEFINED`
``{"$": "number", "v": "-0"}``          that number (also ``NaN``, ``Infinity``, ``-Infinity``)
``{"$": "utf16", "v": [...]}``          the string of these UTF-16 code units
``{"$": "object", "v": [[k, v], ...]}`` a dict whose members are inserted in this order
``{"$": "fn", "v": "add1"}``            a function from the old thing to the new one
``{"$": "function"}``                   :data:`SOME_FUNCTION`
``{"$": "error", "v": text}``           :class:`Thrown`
======================================  ====================================================
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from durabase.types import UNDEFINED, UNDEFINED_MARK

__all__ = [
    "SOME_FUNCTION",
    "Thrown",
    "cases",
    "difference",
    "load",
    "run_operation",
    "same",
    "snake_case",
    "untag",
    "unwire",
]


@dataclass(frozen=True, slots=True)
class Thrown:
    """A result: an exception with this text was thrown."""

    text: str


class _SomeFunction:
    def __repr__(self) -> str:
        return "SOME_FUNCTION"


SOME_FUNCTION = _SomeFunction()
"""A result: some function. :func:`same` takes any callable for it."""


class DeliberateError(Exception):
    """Raised, and caught again, by the operation ``throwing``."""


# -- reading


def folder() -> Path:
    """Where the recordings are."""
    return Path(os.environ.get("DURABASE_VECTORS") or Path(__file__).parent)


@cache
def load(name: str) -> Any:
    """The file ``<name>.json`` as it stands, tags and all. Read once; do not change it."""
    return json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str, member: str = "cases") -> list[Any]:
    """The list ``member`` of the file ``name``."""
    found = load(name)[member]
    assert isinstance(found, list)
    assert found, f"{name}.json has no {member}"
    return found


def _add1(old: Any) -> Any:
    return old + 1 if isinstance(old, int | float) and not isinstance(old, bool) else 1


def _concat(old: Any) -> Any:
    return old + "x" if isinstance(old, str) else "x"


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"add1": _add1, "concat": _concat}


def _from_utf16(units: Iterable[int]) -> str:
    data = b"".join(unit.to_bytes(2, "little") for unit in units)
    return data.decode("utf-16-le", "surrogatepass")


_TAGS: dict[str, Callable[[Any], Any]] = {
    "undefined": lambda _value: UNDEFINED,
    "number": lambda value: float(value.replace("Infinity", "inf")),
    "utf16": _from_utf16,
    "object": lambda members: {untag(key): untag(thing) for key, thing in members},
    "fn": lambda name: _FUNCTIONS[name],
    "function": lambda _value: SOME_FUNCTION,
    "error": Thrown,
}


def untag(thing: Any) -> Any:
    """Tagged JSON as Python things, all the way down."""
    if isinstance(thing, list):
        return [untag(element) for element in thing]
    if isinstance(thing, dict):
        if "$" in thing:
            return _TAGS[thing["$"]](thing.get("v"))
        return {key: untag(value) for key, value in thing.items()}
    return thing


def unwire(thing: Any) -> Any:
    """The wire form with every undefined mark, at any depth, as UNDEFINED. Encoded things stay encoded."""
    if thing == UNDEFINED_MARK:
        return UNDEFINED
    if isinstance(thing, list | tuple):
        return [unwire(element) for element in thing]
    if isinstance(thing, dict):
        return {key: unwire(value) for key, value in thing.items()}
    return thing


# -- comparing


def same(actual: Any, expected: Any) -> bool:
    """Whether two things are equal by value.

    Numbers are compared as doubles (``0 == -0``, NaN equals NaN), a bool is no number, ``UNDEFINED``
    is not ``None``, members may come in any order, and any callable will do for SOME_FUNCTION.
    """
    return difference(actual, expected) is None


def difference(actual: Any, expected: Any, path: str = "") -> str | None:
    """The first place where two things differ, as text for a failure message; None if they are the same."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        return _members_difference(actual, expected, path)
    if isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return _elements_difference(actual, expected, path)
    if _same_leaf(actual, expected):
        return None
    return f"{path or '.'}: {actual!r} instead of {expected!r}"


def _members_difference(actual: dict[Any, Any], expected: dict[Any, Any], path: str) -> str | None:
    if actual.keys() != expected.keys():
        missing, extra = expected.keys() - actual.keys(), actual.keys() - expected.keys()
        return f"{path or '.'}: missing members {sorted(missing)}, extra members {sorted(extra)}"
    for key in expected:
        found = difference(actual[key], expected[key], f"{path}.{key}")
        if found is not None:
            return found
    return None


def _elements_difference(
    actual: list[Any] | tuple[Any, ...], expected: list[Any] | tuple[Any, ...], path: str
) -> str | None:
    for index, (one, other) in enumerate(zip(actual, expected, strict=False)):
        found = difference(one, other, f"{path}[{index}]")
        if found is not None:
            return found
    if len(actual) != len(expected):
        return f"{path or '.'}: {len(actual)} elements instead of {len(expected)}: {actual!r} != {expected!r}"
    return None


def _is_number(thing: Any) -> bool:
    return isinstance(thing, int | float) and not isinstance(thing, bool)


def _same_leaf(actual: Any, expected: Any) -> bool:
    if expected is SOME_FUNCTION:
        return callable(actual)
    if _is_number(actual) and _is_number(expected):
        one, other = float(actual), float(expected)
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(actual, str) and isinstance(expected, str):
        return actual == expected
    return type(actual) is type(expected) and bool(actual == expected)


# -- operating


def snake_case(name: str) -> str:
    """``getTableIds`` as ``get_table_ids``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def run_operation(store: Any, op: dict[str, Any]) -> Any:
    """Run one recorded operation on a store; the result of its method, with None as UNDEFINED.

    ``op`` is ``{"op": camelCaseName, "args": [tagged...]}`` or one of the composites ``transaction``
    (``ops`` in one transaction, which ``rollback`` undoes) and ``throwing`` (``ops``, then an
    exception, which is caught outside of the transaction).
    """
    name = op["op"]
    if name == "transaction":
        _run_transaction(store, op)
        return UNDEFINED
    if name == "throwing":
        _run_throwing(store, op)
        return UNDEFINED
    args = [untag(arg) for arg in op["args"]]
    if name == "delCell":
        store.del_cell(*args[:3], force_del=args[3:4] == [True])
        return UNDEFINED
    result = getattr(store, snake_case(name))(*args)
    return UNDEFINED if result is None else result


def _run_transaction(store: Any, op: dict[str, Any]) -> None:
    with store.transaction((lambda _store: True) if op.get("rollback") else None):
        for inner in op["ops"]:
            run_operation(store, inner)


def _run_throwing(store: Any, op: dict[str, Any]) -> None:
    try:
        with store.transaction():
            for inner in op["ops"]:
                run_operation(store, inner)
            raise DeliberateError
    except DeliberateError:
        pass
