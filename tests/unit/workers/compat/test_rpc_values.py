"""Values as they are sent to others: copies, but for what is sent as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from durabase.durable_objects import RpcTarget
from durabase.web import Blob, FormData, Headers, Request, Response
from durabase.workers.compat.rpc_values import python_from_rpc, python_to_rpc


class Target(RpcTarget): ...


async def stream() -> AsyncIterator[bytes]:
    yield b""


def test_values_are_copied_deeply() -> None:
    value = {"a": [1, 2.5, b"x", None, {"b": {3}}]}
    copy = python_to_rpc(value)
    assert copy == value
    assert copy["a"] is not value["a"]
    assert copy["a"][4] is not value["a"][4]
    assert python_from_rpc(value) is value


@pytest.mark.parametrize(
    "item",
    [
        *(Blob("x"), FormData(), Headers(), Request("http://h/"), Response()),
        *(len, lambda: None, Target(), [].append, stream()),
    ],
    ids=lambda item: type(item).__name__,
)
def test_what_is_sent_as_it_is_at_any_depth(item: Any) -> None:
    assert python_to_rpc([{"a": item}, 1])[0]["a"] is item


@pytest.mark.parametrize("item", [object(), int, Request, {"a": object()}])
def test_what_can_not_be_sent(item: Any) -> None:
    with pytest.raises(TypeError):
        python_to_rpc(item)
