"""Kinds from Python's type annotations: what dataclasses and typed dicts are written in.

What it takes is what a store can hold as it is: ``str``, numbers, ``bool``, ``None``, lists, dicts,
classes that describe dicts, ``Literal`` and ``Enum`` of simple values, and unions of all these.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from enum import Enum
from typing import Any, Final

from durabase.errors import SchemaError
from durabase.schematizers._kinds import (
    ANYTHING,
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    Kind,
    choice,
    union,
)

__all__ = ["hints_of", "kind_of_annotation", "plain_default"]

_KINDS: Final[tuple[tuple[type, Kind], ...]] = (
    (bool, BOOLEAN),  # before int, which it is one of
    (int, NUMBER),
    (float, NUMBER),
    (str, STRING),
    (list, ARRAY),
    (tuple, ARRAY),
    (dict, OBJECT),
)
_ABSTRACT: Final[dict[object, Kind]] = {
    collections.abc.Sequence: ARRAY,
    collections.abc.MutableSequence: ARRAY,
    collections.abc.Mapping: OBJECT,
    collections.abc.MutableMapping: OBJECT,
}
_WRAPPERS: Final = ("Annotated", "ClassVar", "Final", "NotRequired", "ReadOnly", "Required")


def hints_of(model: type) -> dict[str, Any]:
    """The annotations of a class by name, resolved.

    Raises:
        SchemaError: one names something that is not known where the class is.
    """
    try:
        return typing.get_type_hints(model, include_extras=True)
    except NameError as error:
        raise SchemaError(f"{model.__name__}: an annotation can't be resolved: {error}") from error


def kind_of_annotation(annotation: Any, name: str) -> Kind:
    """What an annotation allows.

    Raises:
        SchemaError: a store can't hold it; ``name`` says where it is.
    """
    if annotation is None or annotation is type(None):
        return NULL
    if annotation is Any or annotation is object:
        return ANYTHING
    origin = typing.get_origin(annotation)
    if origin is not None:
        return _kind_of_generic(annotation, origin, name)
    inner = getattr(annotation, "__supertype__", None) or _alias_value(annotation)
    if inner is not None:
        return kind_of_annotation(inner, name)
    if isinstance(annotation, type):
        return _kind_of_class(annotation, name)
    raise _no_kind(annotation, name)


def plain_default(default: Any, name: str) -> Any:
    """A default as a store takes it: of an enumeration's member its value.

    Raises:
        SchemaError: it is nothing that a store can hold.
    """
    if isinstance(default, Enum):
        return default.value
    if isinstance(default, list | tuple):
        return [plain_default(element, name) for element in default]
    if isinstance(default, dict):
        return {key: plain_default(member, name) for key, member in default.items()}
    if default is None or isinstance(default, bool | int | float | str):
        return default
    raise SchemaError(f"{name}: a default of type {type(default).__name__} can't be kept in a cell")


def _kind_of_generic(annotation: Any, origin: Any, name: str) -> Kind:
    arguments = typing.get_args(annotation)
    if origin is typing.Union or origin is types.UnionType:
        return union(kind_of_annotation(argument, name) for argument in arguments)
    if origin is typing.Literal:
        return choice(value.value if isinstance(value, Enum) else value for value in arguments)
    return kind_of_annotation(arguments[0] if _is_wrapper(origin) else origin, name)


def _kind_of_class(cls: type, name: str) -> Kind:
    if issubclass(cls, Enum):
        return choice(member.value for member in cls)
    if cls in _ABSTRACT:
        return _ABSTRACT[cls]
    for base, kind in _KINDS:
        if issubclass(cls, base):
            return kind
    if dataclasses.is_dataclass(cls) or _describes_objects(cls):
        return OBJECT
    raise _no_kind(cls, name)


def _describes_objects(cls: type) -> bool:
    return hasattr(cls, "__required_keys__") or hasattr(cls, "__pydantic_fields__")


def _is_wrapper(origin: Any) -> bool:
    """Whether it only says something about its first argument; by name, for there are several of each."""
    return getattr(origin, "_name", None) in _WRAPPERS or getattr(origin, "__name__", None) in _WRAPPERS


def _alias_value(annotation: Any) -> Any:
    """What a ``type`` statement gave a name to."""
    return getattr(annotation, "__value__", None)


def _no_kind(annotation: object, name: str) -> SchemaError:
    told = annotation.__qualname__ if isinstance(annotation, type) else repr(annotation)
    return SchemaError(
        f"{name}: {told} can't be kept in a cell; expected str, int, float, bool, None, "
        "lists, dicts, Literal, Enum or a union of these"
    )
