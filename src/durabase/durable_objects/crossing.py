"""Copies of what crosses from one program to another, and what crosses in other ways.

Values are copied by the rules of stored values. Functions and objects that are a
:class:`~durabase.durable_objects.base.RpcTarget` become stubs, stubs other stubs of the same. Requests,
responses and streams are handed over: the sender can't read them any more.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from durabase.durable_objects.base import RpcTarget
from durabase.durable_objects.events import Call
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.rpc_promise import RpcPromise
from durabase.durable_objects.rpc_stub import RpcStub
from durabase.durable_objects.rpc_target import Giver, Grant, ProgramGiver, current_giver
from durabase.types import UNDEFINED
from durabase.web.blob import Blob
from durabase.web.byte_string import ByteString
from durabase.web.form_data import FormData
from durabase.web.headers import Headers
from durabase.web.request import Request
from durabase.web.response import Response
from durabase.web.structured_clone import decode_value, encode_value

__all__ = ["copied", "make_call", "may_cross", "next_of", "pieces_of"]

_LIMIT: Final = ObjectLimits().message_bytes
_ATOMS: Final = frozenset((type(None), type(UNDEFINED), bool, int, float))
_WEB: Final = (Request, Response, Headers, FormData, Blob)


class Crossing:
    """What crosses together: all of it, or nothing.

    Args:
        giver: who runs what is given away; by default whoever runs now.
        limit: how many bytes it may take.

    Attributes:
        stubs: those that were made for functions and targets.
        size: how many bytes the values take.
    """

    __slots__ = ("_giver", "_limit", "size", "stubs")

    def __init__(self, giver: Giver | None = None, limit: int = _LIMIT) -> None:
        self._giver = giver
        self._limit = limit
        self.size = 0
        self.stubs: list[RpcStub] = []

    def copies(self, values: Sequence[Any]) -> list[Any]:
        """The values as they arrive on the other side.

        Raises:
            TypeError: with the path of the first item that can't cross.
            ValueError: they take too much.
        """
        encoded = [self._encoded(value) for value in values]
        if self.size > self._limit:
            raise ValueError(
                f"Serialized RPC arguments or return values are limited to {_in_mebibytes(self._limit)}, "
                f"but the size of this value was: {self.size} bytes."
            )
        return [
            _as_it_is(value) if data is None else decode_value(data, [self._carried(item) for item in passed])
            for value, (data, passed) in zip(values, encoded, strict=True)
        ]

    def _encoded(self, value: Any) -> tuple[bytes | None, list[Any]]:
        kind = type(value)
        if kind in _ATOMS:
            return None, []
        if kind is str or kind is bytes:
            self.size += len(value) if kind is bytes or value.isascii() else len(_utf8(value))
            return None, []
        passed: list[Any] = []
        data = encode_value(value, passed, may_cross)
        self.size += len(data)
        return data, passed

    def _carried(self, item: Any) -> Any:
        """What arrives for something that is no plain value."""
        cross = getattr(type(item), "_rpc_cross", None)
        if cross is not None:
            return self._noted(cross(item))
        if isinstance(item, _WEB):
            return self._handed_over(item)
        if isinstance(item, AsyncIterable):
            return self._stream(item)
        return self._noted(self._stub_of(item))

    def _handed_over(self, item: Any) -> Any:
        if isinstance(item, Blob):
            return item  # it never changes
        if isinstance(item, (Headers, FormData)):
            return type(item)(item.items())
        taken = Request(item) if isinstance(item, Request) else _taken(item)
        taken.wrap_stream(self._stream)
        return taken

    def _stream(self, stream: AsyncIterable[Any]) -> AsyncIterable[Any]:
        """What an object yields is had from it piece by piece, through its gates."""
        if (self._giver or current_giver.get()) is None:
            return stream
        return pieces_of(self._stub_of(next_of(stream)))

    def _stub_of(self, target: Any) -> RpcStub:
        if self._giver is None:
            self._giver = current_giver.get() or ProgramGiver()
        grant = Grant(target, self._giver, partial(copied, giver=self._giver, limit=self._limit))
        return RpcStub(grant, make_call)

    def _noted(self, crossed: Any) -> Any:
        if isinstance(crossed, RpcStub):
            self.stubs.append(crossed)
        return crossed


def copied(value: Any, giver: Giver | None = None, limit: int = _LIMIT) -> Any:
    """``value`` as it arrives on the other side; see :meth:`Crossing.copies`."""
    return value if type(value) in _ATOMS else Crossing(giver, limit).copies((value,))[0]


def make_call(name: str, arguments: Sequence[Any], keywords: Mapping[str, Any], limit: int = _LIMIT) -> Call:
    """The call of a method with copies of these arguments; see :meth:`Crossing.copies`."""
    if not keywords and all(type(argument) in _ATOMS for argument in arguments):
        return Call(name, tuple(arguments), {})
    crossing = Crossing(None, limit)
    copies = crossing.copies((*arguments, *keywords.values()))
    count = len(arguments)
    named = dict(zip(keywords, copies[count:], strict=True)) if keywords else {}
    return Call(name, tuple(copies[:count]), named, crossing.stubs, crossing.size)


def may_cross(item: Any) -> bool:
    """Whether something that is no plain value crosses all the same."""
    if isinstance(item, (type, RpcPromise)):
        return False
    return (
        hasattr(type(item), "_rpc_cross")
        or isinstance(item, (*_WEB, RpcTarget, AsyncIterable))
        or callable(item)
    )


def _taken(response: Response) -> Response:
    taken = Response(response, response.status, response.status_text, response.headers, response.web_socket)
    taken.url = response.url
    return taken


def next_of(stream: AsyncIterable[Any]) -> Callable[[], Awaitable[Any]]:
    """A function that gives the next piece of a stream, ``None`` after the last."""
    pieces = aiter(stream)

    async def following() -> Any:
        return await anext(pieces, None)

    return following


async def pieces_of(following: RpcStub) -> AsyncIterator[Any]:
    """The stream whose pieces the stub of such a function gives."""
    with following:
        while (piece := await following()) is not None:
            yield piece


def _as_it_is(value: Any) -> Any:
    return ByteString(value) if type(value) is bytes else value


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _in_mebibytes(size: int) -> str:
    return f"{size // 2**20}MiB" if size % 2**20 == 0 else f"{size} bytes"
