"""Classes as the text of a stub: their public members, under both spellings where there are two."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from textwrap import dedent
from typing import Any

from durabase._names import camel_case, snake_case
from durabase.workers.typings.hints import annotations_of, evaluated, is_internal, signature, spelt

__all__ = ["class_stub"]

_KEPT = frozenset(
    (
        *("__iter__", "__next__", "__len__", "__contains__", "__getitem__", "__setitem__", "__delitem__"),
        *("__getattr__", "__enter__", "__exit__", "__aiter__", "__anext__", "__await__"),
    )
)
_HIDDEN = frozenset(
    (
        *("begin_alarm", "body_bytes", "conclude_alarm", "connection", "defer", "encode", "end", "failed"),
        *("invalidate", "is_strict", "iter_body", "key", "listeners_of", "raw_items", "running_alarm"),
        *("size_at_hand", "wrap_stream"),
    )
)
"""What the runtime alone uses of these classes."""


def class_stub(cls: type, name: str, known: Mapping[type, str], *, constructible: bool) -> str:
    """Return the stub of a class.

    Args:
        cls: the class.
        name: what it is called in the stub.
        known: the names of all classes that have stubs.
        constructible: whether programs may call it.
    """
    bases = [known[base] for base in cls.__bases__ if base in known]
    bases += ["dict[Any, Any]"] if issubclass(cls, dict) else []
    head = f"class {name}({', '.join(bases)}):" if bases else f"class {name}:"
    members = list(_members(cls, known, constructible=constructible))
    return "\n".join([head, *(f"    {line}" for line in members)]) if members else f"{head} ..."


def _members(cls: type, known: Mapping[type, str], *, constructible: bool) -> Iterator[str]:
    attributes = _attributes(cls, known)
    for attribute, hint in attributes.items():
        for spelling in dict.fromkeys((attribute, camel_case(attribute))):
            yield f"{spelling}: {spelt(hint, known)}"
    done = {spelling for attribute in attributes for spelling in (attribute, camel_case(attribute))}
    for name, member in vars(cls).items():
        if name in done or snake_case(name) in _HIDDEN or _is_internal(member, known):
            continue
        if not name.startswith("_") or name in _KEPT or (constructible and name == "__init__"):
            yield from _member(name, member, known)


def _attributes(cls: type, known: Mapping[type, str]) -> dict[str, Any]:
    """What instances have: declared in the class, or set by ``__init__`` from its parameters."""
    hints = annotations_of(cls)
    declared = {name: hints[name] for name in inspect.get_annotations(cls) if name in hints}
    found = declared | (_set_by_init(cls) if "__init__" in vars(cls) else {})
    return {
        name: hint
        for name, hint in found.items()
        if not name.startswith("_") and name not in _HIDDEN and not is_internal(hint, known)
    }


def _set_by_init(cls: type) -> dict[str, Any]:
    init = vars(cls)["__init__"]
    try:
        tree = ast.parse(dedent(inspect.getsource(init)))
    except (OSError, TypeError):  # no source: compiled, or made by a decorator
        return {}
    hints, names = annotations_of(init), vars(sys.modules[cls.__module__])
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Attribute(ast.Name("self"), attribute)], ast.Name(parameter)):
                found[attribute] = hints.get(parameter, Any)
            case ast.AnnAssign(ast.Attribute(ast.Name("self"), attribute), annotation):
                hint = evaluated(ast.unparse(annotation), names)
                found[attribute] = Any if hint is inspect.Parameter.empty else hint
            case ast.Assign([ast.Attribute(ast.Name("self"), attribute)]):
                found.setdefault(attribute, Any)
    return found


def _is_internal(member: Any, known: Mapping[type, str]) -> bool:
    function = getattr(member, "__func__", member)
    if not inspect.isfunction(function) or function.__name__ == "__init__":
        return False
    return any(is_internal(hint, known) for hint in annotations_of(function).values())


def _member(name: str, member: Any, known: Mapping[type, str]) -> Iterator[str]:
    match member:
        case property():
            getter = member.fget
            hint = annotations_of(getter).get("return", Any) if getter is not None else Any
            if member.fset is None:
                yield "@property"
                yield f"def {name}(self) -> {spelt(hint, known)}: ..."
            else:
                yield f"{name}: {spelt(hint, known)}"
        case staticmethod() | classmethod():
            yield "@staticmethod" if isinstance(member, staticmethod) else "@classmethod"
            yield f"def {name}{signature(member.__func__, known)}: ..."
        case _ if inspect.isfunction(member):
            coroutine = inspect.iscoroutinefunction(member)
            yield f"{'async ' if coroutine else ''}def {name}{signature(member, known)}: ..."
        case int():
            yield f"{name}: int"
        case _ if name == "json":  # reads a body, and on the class makes a response
            yield "json: _Json"
        case _:
            yield f"{name}: Any"
