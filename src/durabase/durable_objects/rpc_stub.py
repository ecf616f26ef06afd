"""The handle on a function or an ``RpcTarget`` that somebody else gave."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from durabase.durable_objects.events import Call, Read
from durabase.durable_objects.rpc import ITSELF
from durabase.durable_objects.rpc_promise import CallMaker, RpcMember, RpcPromise, member, send
from durabase.durable_objects.rpc_target import Granted

__all__ = ["RpcStub"]


class RpcStub:
    """Something of somebody else: ``await stub(…)``, ``await stub.method(…)``, ``await stub.property``.

    Calls run where it is from. A stub that came as an argument is good until the method returns, one that
    came as a result for as long as it is kept. :meth:`dup` makes one that is good on its own; ``with``,
    :meth:`destroy` and dropping it let it go.
    """

    __slots__ = ("__weakref__", "_grant", "_make_call")

    def __init__(self, grant: Granted, make_call: CallMaker) -> None:
        self._grant: Granted | None = grant
        self._make_call = make_call
        grant.take()

    def dup(self) -> RpcStub:
        """Another stub of the same, to be kept longer than this one.

        Raises:
            RuntimeError: this one was let go.
        """
        return RpcStub(self._held(), self._make_call)

    def destroy(self) -> None:
        """Let it go. After the last stub the giver lets go what it is of."""
        grant, self._grant = self._grant, None
        if grant is not None:
            grant.give_back()

    def __call__(self, *arguments: Any, **keywords: Any) -> RpcPromise:
        return self._rpc_perform(self._make_call(ITSELF, arguments, keywords))

    def __getattr__(self, name: str) -> RpcMember:
        return member(self, name, self._make_call)

    def __enter__(self) -> RpcStub:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.destroy()

    def __del__(self) -> None:
        self.destroy()

    def _held(self) -> Granted:
        if self._grant is None:
            raise RuntimeError("RPC stub used after being disposed.")
        return self._grant

    def _rpc_perform(self, event: Call | Read) -> RpcPromise:
        grant = self._held()
        lent = event.lent if isinstance(event, Call) else ()
        return send(lambda: grant.serve(event), self._make_call, lent)

    def _rpc_cross(self) -> RpcStub:
        return self.dup()

    def __repr__(self) -> str:
        return f"<RpcStub{'' if self._grant is not None else ' let go'}>"
