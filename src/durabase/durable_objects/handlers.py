"""Which method of a user's class answers which event.

Either spelling will do, ``webSocketMessage`` or ``web_socket_message``: the most derived class that
has one of them decides. A handler gets as many arguments as its signature takes. Resolved once per class.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from durabase._names import camel_case

__all__ = ["RESERVED", "Handler", "HandlerTable", "fitting_arguments"]

RESERVED: Final = frozenset(
    (
        *("fetch", "connect", "alarm", "dup", "constructor", "preShutdown", "pre_shutdown"),
        *("webSocketMessage", "webSocketClose", "webSocketError"),
        *("web_socket_message", "web_socket_close", "web_socket_error"),
    )
)
"""Names that can't be called from outside."""

_UNLIMITED: Final = 1 << 16


def fitting_arguments(function: Callable[..., Any]) -> int:
    """How many positional arguments ``function`` takes at most."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a builtin without a signature takes what it is given
        return _UNLIMITED
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return _UNLIMITED
    return sum(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )


class Handler:
    """One method of a class: under which name, and how many arguments it takes besides ``self``."""

    __slots__ = ("limit", "name")

    def __init__(self, name: str, limit: int) -> None:
        self.name = name
        self.limit = limit

    def bound(self, instance: object) -> Callable[..., Any]:
        """The method of ``instance``; call it with the event's arguments, it drops what it does not take."""
        method: Callable[..., Any] = getattr(instance, self.name)
        limit = self.limit
        if limit >= 4:
            return method
        return lambda *arguments: method(*arguments[:limit])


class HandlerTable:
    """The handlers of one class; an attribute is ``None`` where the class has none.

    Raises:
        TypeError: one class body defines a handler under both names.
    """

    __slots__ = (
        *("alarm", "fetch", "pre_shutdown"),
        *("web_socket_close", "web_socket_error", "web_socket_message"),
    )

    def __init__(self, cls: type) -> None:
        self.fetch = _find(cls, "fetch", 1)
        self.alarm = _find(cls, "alarm", 1)
        self.pre_shutdown = _find(cls, "pre_shutdown", 1)
        self.web_socket_message = _find(cls, "web_socket_message", 2)
        self.web_socket_close = _find(cls, "web_socket_close", 4)
        self.web_socket_error = _find(cls, "web_socket_error", 2)


def _find(cls: type, snake: str, arguments: int) -> Handler | None:
    names = dict.fromkeys((snake, camel_case(snake)))
    for base in cls.__mro__:
        own = {name: vars(base)[name] for name in names if name in vars(base)}
        if len({id(member) for member in own.values()}) > 1:
            both = " and ".join(own)
            raise TypeError(f"{base.__qualname__} defines both {both}: they are one handler, define one")
        for name, member in own.items():
            return None if member is None else Handler(name, _limit(cls, name, arguments))
    return None


def _limit(cls: type, name: str, arguments: int) -> int:
    static = isinstance(inspect.getattr_static(cls, name), (staticmethod, classmethod))
    takes = fitting_arguments(getattr(cls, name)) - (0 if static else 1)
    return 4 if takes >= arguments else takes
