"""What may be called from outside, by which rules, and what becomes of errors on the way. No I/O.

An exception of a builtin type arrives as the same type; any other as :class:`~durabase.errors.RemoteError`.
Each has the attributes ``remote``, ``retryable``, ``overloaded`` and ``durable_object_reset``.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Collection, Mapping
from functools import cache
from typing import Any, Final

from durabase.durable_objects.base import RpcTarget
from durabase.durable_objects.events import Call, Read
from durabase.durable_objects.handlers import RESERVED
from durabase.durable_objects.tracebacks import origin_note
from durabase.errors import ObjectError, ObjectResetError, RemoteError

__all__ = [
    "ITSELF",
    "as_reset",
    "call_method",
    "check_callable_name",
    "fetch_error",
    "perform_on",
    "perform_on_instance",
    "read_property",
    "remote_error",
]

ITSELF: Final = ""
"""The name under which a function is called that is no member of anything."""

_ATOMS: Final = frozenset((type(None), bool, int, float, str, bytes))
_MARKS: Final = ("remote", "retryable", "overloaded", "durable_object_reset")
_NOTHING: Final = object()


def check_callable_name(name: str, reserved: Collection[str] = RESERVED) -> None:
    """Complain about a name that can't be used from outside.

    Args:
        name: the name.
        reserved: names of handlers; targets have none.

    Raises:
        TypeError: it is a handler's, or has two underscores at both ends.
    """
    if name in reserved or (name.startswith("__") and name.endswith("__")):
        raise TypeError(f"'{name}' is a reserved method and cannot be called over RPC.")


def perform_on(target: Any, event: Call | Read) -> Any:
    """Do to a target what its stub was asked for. A function has no members that could be used.

    Raises:
        TypeError: there is no such method or property.
    """
    if isinstance(event, Call) and event.method == ITSELF:
        return _call(target, ITSELF, event.arguments, event.keywords)
    return perform_on_instance(target if isinstance(target, RpcTarget) else None, event, reserved=())


def perform_on_instance(instance: object, event: Call | Read, reserved: Collection[str] = RESERVED) -> Any:
    """Call a method of a target, an object or an entrypoint, or read a property.

    Raises:
        TypeError: there is no such method or property, or its name is ``reserved``.
    """
    check_callable_name(event.name, reserved)
    if isinstance(event, Read):
        return read_property(instance, event.name)
    return call_method(instance, event.method, event.arguments, event.keywords)


def call_method(instance: object, name: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Call the method of this name; keywords that it does not take come as one dict, last.

    Raises:
        TypeError: there is no such method.
    """
    return _call(getattr(instance, name, None), name, arguments, keywords)


def read_property(instance: object, name: str) -> Any:
    """The value of a property, or a method, of the instance's class. What only the instance has is private.

    Raises:
        TypeError: the class has none.
    """
    if inspect.getattr_static(type(instance), name, _NOTHING) is _NOTHING or instance is None:
        raise TypeError(f'The RPC receiver does not implement the property "{name}".')
    return getattr(instance, name)


def _call(method: Any, name: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    if not callable(method):
        raise TypeError(f"Method {name} does not exist" if name else "This is not a function")
    if not keywords:
        return method(*arguments)
    if _takes(method, arguments, keywords):
        return method(*arguments, **keywords)
    return method(*arguments, dict(keywords))


def _takes(method: Callable[..., Any], arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    try:
        inspect.signature(method).bind(*arguments, **keywords)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def remote_error(error: BaseException) -> Exception:
    """The exception that a caller gets for ``error``, without its traceback; development notes that."""
    if isinstance(error, ObjectError):
        return _marked(error, remote=True)
    made = _remade(error)
    if (note := origin_note(error)) is not None:
        made.add_note(note)
    return made


def _remade(error: BaseException) -> Exception:
    kind = type(error)
    if isinstance(error, Exception) and getattr(builtins, kind.__name__, None) is kind:
        made = _same_kind(error)
        if made is not None:
            return _marked(made, remote=True)
    return _marked(RemoteError(_with_name(error)), remote=True)


def as_reset(error: BaseException) -> Exception:
    """``error``, that ended a life, as what those get who waited for it: marked as a reset."""
    made = error if isinstance(error, Exception) else ObjectResetError(str(error) or type(error).__name__)
    made.durable_object_reset = True  # type: ignore[attr-defined]
    return _marked(made, remote=False)


def fetch_error(error: BaseException) -> BaseException:
    """``error``, that a ``fetch`` of a binding failed with, as what is an :class:`OSError` as well."""
    if not isinstance(error, Exception) or isinstance(error, OSError):
        return error
    kind: Any = type(error)
    both = _also_os_error(kind)
    if both is None:
        return _marked(_also_os_error(RemoteError)(_with_name(error)), remote=True)
    made: Exception = OSError.__new__(both)
    made.args = error.args
    vars(made).update(vars(error))
    return made.with_traceback(error.__traceback__)


@cache
def _also_os_error(kind: Any) -> Any:
    """A class that is both; ``None`` for the few builtin types that can't be combined with it."""
    if kind is Exception:
        return OSError
    try:
        return type(kind.__name__, (kind, OSError), {"__module__": kind.__module__, "__new__": _new})
    except TypeError:
        return None


def _new(kind: Any, *_: Any, **__: Any) -> Any:
    return OSError.__new__(kind)  # the only one that may make what is laid out as an OSError


def _with_name(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _same_kind(error: Exception) -> Exception | None:
    if isinstance(error, (StopIteration, StopAsyncIteration)):
        return None  # nothing that waits for a result could be given these
    plain = all(type(argument) in _ATOMS for argument in error.args)
    try:
        return type(error)(*(error.args if plain else (str(error),)))
    except TypeError:
        return None


def _marked(error: Exception, *, remote: bool) -> Exception:
    marks = {mark: bool(getattr(error, mark, False)) for mark in _MARKS}
    marks["remote"] = marks["remote"] or remote
    for name, value in marks.items():
        setattr(error, name, value)
    if not isinstance(error, ObjectError):
        error.durableObjectReset = marks["durable_object_reset"]  # type: ignore[attr-defined]
    for name, text in {"name": type(error).__name__, "message": str(error), "stack": ""}.items():
        if not hasattr(error, name):  # what programs ask of a JsException
            setattr(error, name, text)
    return error
