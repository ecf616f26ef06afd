"""What may cross to another object, how it is copied, and what becomes of errors. No I/O.

Arguments and results are copies, by the rules of stored values; requests, responses and their parts
cross as they are. An exception of a builtin type arrives as the same type; any other as
:class:`~durabase.errors.RemoteError`. Each has the attributes ``remote``, ``retryable``,
``overloaded`` and ``durable_object_reset``.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import AsyncIterable, Callable, Mapping
from typing import Any, Final

from durabase.durable_objects.handlers import RESERVED
from durabase.errors import ObjectError, ObjectResetError, RemoteError
from durabase.types import UNDEFINED
from durabase.web.blob import Blob
from durabase.web.body import Body
from durabase.web.form_data import FormData
from durabase.web.headers import Headers
from durabase.web.structured_clone import decode_value, encode_value

__all__ = ["as_reset", "call_method", "check_callable_name", "copied", "remote_error"]

MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024

_PASSED: Final = (Body, Headers, FormData, Blob, AsyncIterable)
_ATOMS: Final = frozenset((type(None), type(UNDEFINED), bool, int, float, str, bytes))
_MARKS: Final = ("remote", "retryable", "overloaded", "durable_object_reset")


def copied(value: Any) -> Any:
    """``value`` as it arrives on the other side.

    Raises:
        TypeError: with the path of the first item that can't cross.
        ValueError: it takes more than 32 MiB.
    """
    if type(value) in _ATOMS:
        return value
    passed: list[Any] = []
    data = encode_value(value, passed, lambda item: isinstance(item, _PASSED))
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError(
            "Serialized RPC arguments or return values are limited to 32MiB, "
            f"but the size of this value was: {len(data)} bytes."
        )
    return decode_value(data, passed)


def check_callable_name(name: str) -> None:
    """Complain about a name that can't be called from outside.

    Raises:
        TypeError: it is a handler's, or has two underscores at both ends.
    """
    if name in RESERVED or (name.startswith("__") and name.endswith("__")):
        raise TypeError(f"'{name}' is a reserved method and cannot be called over RPC.")


def call_method(instance: object, name: str, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """Call the method of this name; keywords that it does not take come as one dict, last.

    Raises:
        TypeError: there is no such method.
    """
    check_callable_name(name)
    method = getattr(instance, name, None)
    if not callable(method):
        raise TypeError(f"Method {name} does not exist")
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
    """The exception that a caller gets for ``error``, without its traceback."""
    if isinstance(error, ObjectError):
        return _marked(error, remote=True)
    kind = type(error)
    if isinstance(error, Exception) and getattr(builtins, kind.__name__, None) is kind:
        made = _same_kind(error)
        if made is not None:
            return _marked(made, remote=True)
    text = str(error)
    return _marked(RemoteError(f"{kind.__name__}: {text}" if text else kind.__name__), remote=True)


def as_reset(error: BaseException) -> Exception:
    """``error``, that ended a life, as what those get who waited for it: marked as a reset."""
    made = error if isinstance(error, Exception) else ObjectResetError(str(error) or type(error).__name__)
    made.durable_object_reset = True  # type: ignore[attr-defined]
    return _marked(made, remote=False)


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
    error.durableObjectReset = marks["durable_object_reset"]  # type: ignore[attr-defined]
    return error
