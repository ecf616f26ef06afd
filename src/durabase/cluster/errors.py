"""Exceptions as plain values: builtin types and those of the tree of errors keep their type."""

from __future__ import annotations

import builtins
from typing import Any, Final

from durabase import errors
from durabase.errors import DurabaseError, ObjectError, RemoteError

__all__ = ["error_form", "error_from", "lost_error"]

_PLAIN: Final = (type(None), bool, int, float, str, bytes)


def error_form(error: BaseException) -> list[Any]:
    """An exception as a list of its kind, arguments and attributes."""
    kind = type(error)
    if not isinstance(error, Exception) or _kind(kind.__name__) is not kind:
        error = RemoteError(str(error) or kind.__name__)
    plain = all(isinstance(argument, _PLAIN) for argument in error.args)
    arguments = list(error.args) if plain else [str(error)]
    attributes = {key: value for key, value in vars(error).items() if isinstance(value, _PLAIN)}
    return [type(error).__name__, arguments, attributes]


def error_from(form: list[Any]) -> Exception:
    """The exception that such a list tells of."""
    name, arguments, attributes = form
    made = _made(_kind(name) or RemoteError, arguments)
    vars(made).update(attributes)
    return made


def _made(kind: type[Exception], arguments: list[Any]) -> Exception:
    if issubclass(kind, DurabaseError):  # some are made of other things than their arguments
        ours: Exception = kind.__new__(kind)
        ours.args = tuple(arguments)
        return ours
    try:
        return kind(*arguments)
    except TypeError:  # one that is made of more than plain values
        return RemoteError(str(arguments[0]) if arguments else kind.__name__)


def lost_error() -> ObjectError:
    """What callers get whose call was under way when its process, or the way there, was lost."""
    return ObjectError("Network connection lost.", retryable=True, durable_object_reset=True)


def _kind(name: str) -> type[Exception] | None:
    found = getattr(errors, name, None) or getattr(builtins, name, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None
