"""The classes that users extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from durabase.durable_objects.state import DurableObjectState

__all__ = ["DurableObject", "DurableObjectAbort", "RpcTarget"]


class DurableObject:
    """An object with an identity, its own storage and its own sockets; there is one of it at any time.

    Extend it and write the handlers you need, under either spelling, as plain or asynchronous
    methods: ``fetch(request)``, ``alarm(info)``, ``web_socket_message(ws, message)``,
    ``web_socket_close(ws, code, reason, was_clean)``, ``web_socket_error(ws, error)``,
    ``pre_shutdown(info)``. Any other public method can be called through a stub.

    Attributes:
        ctx: the object's :class:`~durabase.durable_objects.state.DurableObjectState`.
        env: the bindings.
        idle_seconds: of a class, if it says so: how long its objects have to be quiet before they sleep, 0
            for at once, ``math.inf`` for never.
    """

    ctx: DurableObjectState
    env: Any

    def __init__(self, ctx: DurableObjectState, env: Any) -> None:
        self.ctx = ctx
        self.env = env


class RpcTarget:
    """What crosses to others as itself, not as a copy: they get a stub of it.

    Its methods, and the properties of its class, can be used through the stub; they run where the
    object was made, under the gates of whoever made it.
    """


class DurableObjectAbort(BaseException):
    """Raised by ``ctx.abort()`` to leave the program at once; ``except Exception`` lets it through."""
