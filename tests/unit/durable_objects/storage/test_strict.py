"""Strict mode: what is stored becomes, or is refused, as on Cloudflare."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from durabase.errors import StorageError
from durabase.types import UNDEFINED
from durabase.web import WebSocketPair
from durabase.workers.compat.pyodide_ffi import to_js
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import in_object

pytestmark = [pytest.mark.feature("S-SA-2")]


@in_object(is_strict=True)
async def test_values(storage: Any) -> None:
    await storage.put(
        "k", {"one": 1.0, "half": 0.5, 5: None, None: 1, True: 2, 1.5: {3.0, "a"}, "list": [2.0, UNDEFINED]}
    )
    found = await storage.get("k")
    assert found == {
        "one": 1, "half": 0.5, "5": None, "null": 1, "true": 2, "1.5": {3, "a"}, "list": [2, UNDEFINED]
    }  # fmt: skip
    assert type(found.one) is int
    assert type(found["list"][0]) is int
    await storage.put("big", [2.0**60, -0.5])
    assert [type(number) for number in await storage.get("big")] == [float, float]
    await storage.put("time", datetime(2026, 1, 2, 3, 4, 5, 678901))
    assert await storage.get("time") == datetime(2026, 1, 2, 3, 4, 5, 678000)


@in_object(is_strict=True)
async def test_bytes_come_back_as_views(storage: Any) -> None:
    await storage.put({"a": b"x", "b": [memoryview(b"y")]})
    for found in (await storage.get("a"), (await storage.get(["b"]))["b"][0], (await storage.list())["a"]):
        assert type(found) is memoryview
        assert found.tobytes() in (b"x", b"y")


@in_object(is_strict=True)
async def test_what_is_refused(storage: Any) -> None:
    for value, text in (((1,), "value: a tuple"), ({"a": [bytearray()]}, r"value\['a'\]\[0\]: a bytearray")):
        with pytest.raises(TypeError, match=text):
            storage.put("k", value)
    assert await storage.list() == {}


@in_object(is_strict=True, kinds=("kv",))
async def test_keys_of_one_get(storage: Any) -> None:
    assert await storage.get([str(number) for number in range(128)]) == {}
    with pytest.raises(StorageError, match=r"pairs is 128\. 129 pairs were provided"):
        storage.get([str(number) for number in range(129)])


@in_object(is_strict=True, kinds=("sqlite",))
def test_keys_and_values_without_awaiting(storage: Any) -> None:
    storage.kv.put("k", [1.0, b"x"])
    assert storage.kv.get("k") == [1, memoryview(b"x")]
    assert type(storage.kv.get("k")[0]) is int
    assert storage.kv.list().to_array() == [["k", [1, memoryview(b"x")]]]
    with pytest.raises(TypeError, match="a tuple"):
        storage.kv.put("k", ())


@in_object(is_strict=True, kinds=("sqlite",))
def test_sql(storage: Any) -> None:
    exec = storage.sql.exec
    assert exec("SELECT typeof(?) AS a, typeof(?) AS b", 1, True).one() == {"a": "real", "b": "text"}
    assert exec("SELECT ? AS a, ? AS b, ? AS c", True, 1.5, 7).one() == {"a": "true", "b": 1.5, "c": 7}
    assert type(exec("SELECT ? AS a", 7).one().a) is int
    assert exec("SELECT 9007199254740993 AS a").one().a == 9007199254740992
    assert type(exec("SELECT x'00' AS a").one().a) is memoryview
    with pytest.raises(TypeError, match="BigInt"):
        exec("SELECT ?", 2**60)


def test_tags_have_to_be_lists_of_javascript() -> None:
    async def scenario(rig: Rig) -> None:
        def accept(instance: Any, ctx: Any) -> None:
            with pytest.raises(TypeError, match=r"to_js\(\[...\]\)"):
                ctx.accept_web_socket(WebSocketPair()[1], ["a"])
            _, server = WebSocketPair()
            ctx.acceptWebSocket(server, to_js(["a"]))
            assert ctx.get_tags(server) == ["a"]

        await rig.run_in(accept)

    run(scenario, is_strict=True)


@in_object()
async def test_without_it_values_are_kept(storage: Any) -> None:
    await storage.put("k", (1.0, bytearray(b"x")))
    found = await storage.get("k")
    assert (type(found[0]), found[1].tobytes()) == (float, b"x")
