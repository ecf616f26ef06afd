"""Hints and signatures as text."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Union

import pytest

from durabase.durable_objects import RpcPromise
from durabase.web import WebSocket
from durabase.workers.config import Config
from durabase.workers.typings.hints import annotations_of, is_internal, signature, spelt

if TYPE_CHECKING:
    from decimal import Decimal

KNOWN: Mapping[type, str] = {WebSocket: "Socket"}


class Mine:
    pass


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (int, "int"),
        (None, "None"),
        (type(None), "None"),
        (Any, "Any"),
        (object, "object"),
        (bytes, "builtins.bytes"),
        (ValueError, "ValueError"),
        (datetime, "datetime"),
        (Mine, "Any"),
        (WebSocket, "Socket"),
        (str | None, "str | None"),
        (Union[int, Mine, WebSocket], "int | Any | Socket"),  # noqa: UP007 (the other form)
        (Mine | Any, "Any"),
        (list[WebSocket], "builtins.list[Socket]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (dict[str, Mine], "dict[str, Any]"),
        (Mapping[str, Any], "Mapping[str, Any]"),
        (Iterable[bytes], "Iterable[builtins.bytes]"),
        (Generator[int, None, None], "Any"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Callable[[int], str], "Callable[..., str]"),
        (Awaitable[int], "Awaitable[int]"),
        (Coroutine[Any, Any, int], "Awaitable[int]"),
        (Future[int], "Awaitable[int]"),
        (RpcPromise, "Awaitable[Any]"),
        (ClassVar[int], "int"),
        ("unknown", "Any"),
    ],
)
def test_hints(hint: Any, expected: str) -> None:
    assert spelt(hint, KNOWN) == expected


def every_kind(
    a: int, /, b: str = "", *rest: bytes, c: Mine, d: Decimal | None = None, **more: Any
) -> None: ...


def only_named(self: Any, *, a: int) -> WebSocket: ...


def bare(x, y=1): ...  # type: ignore[no-untyped-def]


def test_signatures() -> None:
    assert signature(every_kind, KNOWN) == (
        "(a: int, /, b: str = ..., *rest: builtins.bytes, c: Any, d: Any = ..., **more: Any) -> None"
    )
    assert signature(only_named, KNOWN) == "(self, *, a: int) -> Socket"
    assert signature(bare, KNOWN) == "(x: Any, y: Any = ...) -> Any"
    assert signature(bare, KNOWN, result="Awaitable[int]").endswith(" -> Awaitable[int]")


def test_hints_that_can_not_be_found_out_are_left_out() -> None:
    assert set(annotations_of(every_kind)) == {"a", "b", "rest", "c", "more", "return"}


def test_what_is_internal() -> None:
    assert is_internal(Config, KNOWN)
    assert is_internal(list[Config] | None, KNOWN)
    assert not is_internal(list[WebSocket], KNOWN)
    assert not is_internal(RpcPromise, KNOWN)
    assert not is_internal(Mine, KNOWN)
