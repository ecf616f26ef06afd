"""The remote persister asks a server what the original asks it, and each loads what the other saved."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from durabase.persisters import RemotePersister
from durabase.store import Store
from interop._process import PATIENCE_SECONDS, NodeProcess
from unit.persisters.http_place import HttpPlace

HERE = Path(__file__).parent
CONTENT = [
    {"pets": {"fido": {"tags": ["a", None], "é\U0001f600": 1.5e300, "10": 0}}},
    {"open": True, "n": None},
]


class Original(NodeProcess):
    """The original's persister of a URL, in a Node process."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(HERE / "remote_persister.mjs", url, str(seconds))

    async def do(self, action: str, argument: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(self.ask, [action, argument])
        return answer


class Ours:
    """The same face over our persister."""

    def __init__(self, url: str, seconds: float) -> None:
        self._store = Store()
        self._errors: list[Any] = []
        self._persister = RemotePersister(
            self._store, url, url, seconds, on_ignored_error=lambda error: self._errors.append(_told(error))
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    async def do(self, action: str, argument: Any = None) -> dict[str, Any]:
        if action == "set":
            self._store.set_content(argument)
        elif action == "load":
            await self._persister.load(argument)
        elif action == "until":
            await self._until(argument)
        else:
            actions: dict[str, Callable[[], Any]] = {
                "save": self._persister.save,
                "startAutoLoad": self._persister.start_auto_load,
                "destroy": self._persister.destroy,
            }
            await actions[action]()
        return {"content": self._store.get_content(), "errors": list(self._errors)}

    async def _until(self, values: Any) -> None:
        changed = asyncio.Event()
        listener_id = self._store.add_values_listener(lambda *_: changed.set())
        while self._store.get_values() != values:
            await changed.wait()
            changed.clear()
        self._store.del_listener(listener_id)


def _told(error: Exception) -> Any:
    names = {"JSONDecodeError": "SyntaxError"}
    return getattr(error, "status", None) or names.get(type(error).__name__, type(error).__name__)


def told(place: HttpPlace) -> list[Any]:
    kept = ("if-none-match", "content-type")
    return [
        (method, {name: headers.get(name) for name in kept}, body) for method, headers, body in place.requests
    ]


async def a_life(side: Any, place: HttpPlace) -> list[Any]:
    """Everything that can be seen of one persister's life."""
    seen = [await side.do("load", [{}, {"initial": True}])]
    seen += [await side.do("set", CONTENT), await side.do("save")]
    seen += [await side.do("load"), await side.do("load")]
    place.body = b"[{},"
    seen.append(await side.do("load"))
    place.status_of["POST"] = 500
    seen.append(await side.do("save"))
    place.status_of["GET"] = 503
    seen.append(await side.do("load"))
    place.status_of.clear()
    place.body = b'[{},{"v":1}]'
    seen.append(await side.do("load"))
    seen += [await side.do("destroy"), told(place)]
    return seen


def life_of(side: Any) -> list[Any]:
    with HttpPlace() as place, side(place.url, 5) as persister:
        return asyncio.run(a_life(persister, place))


def test_both_have_the_same_life() -> None:
    ours, original = life_of(Ours), life_of(Original)
    for step, expected in zip(ours, original, strict=True):
        assert step == expected


def test_each_follows_the_other() -> None:
    async def test() -> None:
        with HttpPlace() as place, Original(place.url, 0.05) as original, Ours(place.url, 0.05) as ours:
            await ours.do("set", [{"t": {"r": {"list": [1]}}}, {"v": 1}])
            await ours.do("save")
            assert (await original.do("startAutoLoad"))["content"] == [{"t": {"r": {"list": [1]}}}, {"v": 1}]
            await ours.do("startAutoLoad")
            await original.do("setAndSave", [{}, {"v": 2}])
            assert (await ours.do("until", {"v": 2}))["content"] == [{}, {"v": 2}]
            await ours.do("set", [{}, {"v": 3}])
            await ours.do("save")
            assert (await original.do("until", {"v": 3}))["content"] == [{}, {"v": 3}]
            await ours.do("destroy")
            await original.do("destroy")

    asyncio.run(asyncio.wait_for(test(), PATIENCE_SECONDS))
