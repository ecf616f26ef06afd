"""What programs may expect of ``env.FOO``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from durabase.errors import StorageError
from durabase.testing import FakeClock
from durabase.workers.bindings.kv import KvNamespace, KvStores

T = TypeVar("T")


def use(
    directory: Path,
    program: Callable[[KvNamespace], Awaitable[T]],
    clock: FakeClock | None = None,
    id: str = "id",
) -> T:
    async def main() -> T:
        time = clock or FakeClock()
        stores = KvStores(directory, time)
        try:
            return await program(KvNamespace(stores.store(id), time))
        finally:
            await stores.close()

    return asyncio.run(main())


def test_what_was_put_stays(tmp_path: Path) -> None:
    async def put(kv: KvNamespace) -> Any:
        assert await kv.get("bar") is None
        assert await kv.put("bar", "baz") is None  # type: ignore[func-returns-value]
        await kv.put("bar", "qux")
        return await kv.get("bar")

    async def get(kv: KvNamespace) -> Any:
        return await kv.get("bar")

    assert use(tmp_path, put) == "qux"
    assert use(tmp_path, get) == "qux"
    assert use(tmp_path, get, id="another/../id") is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("ä€\0", "ä€\0"),
        ("", ""),
        (b"bytes", "bytes"),
        (bytearray(b"x"), "x"),
        (memoryview(b"y"), "y"),
        (1, "1"),
        (1.5, "1.5"),
        (2.0, "2"),
        (True, "true"),
    ],
)
def test_values(tmp_path: Path, value: Any, text: str) -> None:
    async def program(kv: KvNamespace) -> Any:
        await kv.put("k", value)
        return await kv.get("k")

    assert use(tmp_path, program) == text


def test_a_value_can_be_a_stream_going_in_and_coming_out(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async def program(kv: KvNamespace) -> Any:
        await kv.put("k", pieces())
        return b"".join([bytes(piece) async for piece in await kv.get("k", "stream")])

    assert use(tmp_path, program) == b"one two"


def test_types(tmp_path: Path) -> None:
    async def program(kv: KvNamespace) -> Any:
        await kv.put("k", '{"a": [1, {"b": null}]}')
        parsed = await kv.get("k", "json")
        assert parsed == await kv.get("k", {"type": "json", "cacheTtl": 60}) == await kv.get("k", type="json")
        assert await kv.get("nothing", "json") is None
        assert await kv.get("nothing", "stream") is None
        return parsed.a[1].b, await kv.get("k", "arrayBuffer")

    assert use(tmp_path, program) == (None, b'{"a": [1, {"b": null}]}')


def test_metadata(tmp_path: Path) -> None:
    async def program(kv: KvNamespace) -> Any:
        await kv.put("k", "v", {"metadata": {"by": "me"}})
        await kv.put("plain", "w")
        result = await kv.getWithMetadata("k")  # type: ignore[attr-defined]
        assert (result.value, result.metadata.by, result["cacheStatus"]) == ("v", "me", None)
        assert (await kv.get_with_metadata("plain")).metadata is None
        await kv.put("k", "again")
        assert (await kv.get_with_metadata("k", "text")).metadata is None
        return await kv.get_with_metadata("nothing")

    assert use(tmp_path, program) == {"value": None, "metadata": None, "cacheStatus": None}


def test_several_keys_at_once(tmp_path: Path) -> None:
    async def program(kv: KvNamespace) -> Any:
        await kv.put("a", "1", metadata={"m": 1})
        await kv.put("b", "[2]")
        assert await kv.get(["b", "a", "c"], "json") == {"b": [2], "a": 1, "c": None}
        with pytest.raises(ValueError, match="400 You can request from 1 to 100 keys, not 101"):
            await kv.get([str(number) for number in range(101)])
        with pytest.raises(ValueError, match='"stream" is not a valid type'):
            await kv.get(["a"], "stream")
        both = await kv.get_with_metadata(["a", "c"])
        return both["a"].metadata.m, both["c"].value

    assert use(tmp_path, program) == (1, None)


def test_deleting(tmp_path: Path) -> None:
    async def program(kv: KvNamespace) -> Any:
        await kv.put("k", "v")
        await kv.delete("k")
        await kv.delete("k")
        return await kv.get("k"), (await kv.list())["keys"]

    assert use(tmp_path, program) == (None, [])


@pytest.mark.parametrize(
    "options", [{"expirationTtl": 60}, {"expiration_ttl": 60}, {"expiration": 1_700_000_060}]
)
def test_expiration(tmp_path: Path, options: dict[str, Any]) -> None:
    clock = FakeClock(1_700_000_000_000)

    async def program(kv: KvNamespace) -> Any:
        await kv.put("k", "v", **options)
        await kv.put("stays", "w")
        clock.advance(59_000)
        listed = (await kv.list())["keys"]
        assert await kv.get("k") == "v"
        clock.advance(1_000)
        assert await kv.get("k") is None
        assert [key.name for key in (await kv.list())["keys"]] == ["stays"]
        await kv.put("k", "again")
        return listed, await kv.get("k")

    expected = [{"name": "k", "expiration": 1_700_000_060}, {"name": "stays"}]
    assert use(tmp_path, program, clock) == (expected, "again")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"expirationTtl": 0},
            "KV PUT failed: 400 Invalid expiration_ttl of 0. Please specify integer greater",
        ),
        ({"expirationTtl": "1"}, "Invalid expiration_ttl of 1. Please specify integer"),
        ({"expirationTtl": 59}, "Invalid expiration_ttl of 59. Expiration TTL must be at least 60."),
        ({"expiration": 1}, "Invalid expiration of 1. Please specify integer greater than the current"),
        ({"expiration": 1_700_000_059}, "Expiration times must be at least 60 seconds in the future."),
        ({"metadata": "x" * 1023}, "KV PUT failed: 413 Metadata length of 1025 exceeds limit of 1024."),
    ],
)
def test_refused_options(tmp_path: Path, options: dict[str, Any], complaint: str) -> None:
    async def program(kv: KvNamespace) -> Any:
        with pytest.raises(ValueError, match=complaint):
            await kv.put("k", "v", options)
        return await kv.get("k")

    assert use(tmp_path, program) is None


@pytest.mark.parametrize(
    ("key", "error", "complaint"),
    [
        ("", TypeError, "Key name cannot be empty."),
        (".", TypeError, r'"\." is not allowed as a key name.'),
        ("..", TypeError, r'"\.\." is not allowed'),
        (1, TypeError, "a key is a string, not int"),
        ("ä" * 257, ValueError, "414 UTF-8 encoded length of 514 exceeds key length limit of 512."),
    ],
)
def test_refused_keys(tmp_path: Path, key: Any, error: type[Exception], complaint: str) -> None:
    async def program(kv: KvNamespace) -> None:
        for call in (kv.get(key), kv.put(key, "v"), kv.delete(key), kv.get_with_metadata(key)):
            with pytest.raises(error, match=complaint):
                await call

    use(tmp_path, program)


def test_refused_values_and_types(tmp_path: Path) -> None:
    async def program(kv: KvNamespace) -> None:
        for value in ({}, [1], None, object()):
            with pytest.raises(TypeError, match="accepts only strings, ArrayBuffers"):
                await kv.put("k", value)
        with pytest.raises(ValueError, match="413 Value length of 26214401 exceeds limit of 26214400"):
            await kv.put("k", bytes(26214401))
        with pytest.raises(TypeError, match="Unknown response type"):
            await kv.get("k", "blob")
        await kv.put("k", "no json")
        with pytest.raises(ValueError, match="Expecting value"):
            await kv.get("k", "json")

    use(tmp_path, program)


def test_listing_in_pieces(tmp_path: Path) -> None:
    async def program(kv: KvNamespace) -> Any:
        for key in ("b", "ä", "a%", "a", "a1", "\U0001f600"):
            await kv.put(key, key, metadata={"is": key} if key == "a1" else None)
        everything = await kv.list()
        assert [key.name for key in everything["keys"]] == ["a", "a%", "a1", "b", "ä", "\U0001f600"]
        assert everything.list_complete is True
        assert "cursor" not in everything
        first = await kv.list({"prefix": "a", "limit": 2})
        assert [key.name for key in first["keys"]] == ["a", "a%"]
        assert first.list_complete is False
        second = await kv.list(prefix="a", limit=2, cursor=first.cursor)
        return second["keys"], second.list_complete, (await kv.list(prefix="x"))["keys"]

    assert use(tmp_path, program) == ([{"name": "a1", "metadata": {"is": "a1"}}], True, [])


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"limit": 0}, "Invalid key_count_limit of 0. Please specify an integer greater than 0."),
        ({"limit": 1001}, "Please specify an integer less than 1000."),
        ({"cursor": "%"}, 'Invalid cursor "%".'),
    ],
)
def test_refused_listings(tmp_path: Path, options: dict[str, Any], complaint: str) -> None:
    async def program(kv: KvNamespace) -> None:
        with pytest.raises(ValueError, match=complaint):
            await kv.list(options)

    use(tmp_path, program)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "id.sqlite").write_bytes(b"something else" * 100)

    async def program(kv: KvNamespace) -> None:
        with pytest.raises(StorageError, match=r"id\.sqlite can't be used: file is not a database"):
            await kv.get("k")

    use(tmp_path, program)


def test_nothing_is_made_before_something_is_used(tmp_path: Path) -> None:
    def program(kv: KvNamespace) -> Awaitable[None]:
        assert not list(tmp_path.iterdir())
        return asyncio.sleep(0)

    use(tmp_path, program)
