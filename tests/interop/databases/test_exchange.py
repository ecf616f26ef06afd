"""What the original stored is found by ours as it was, and the other way round, in every kind of place."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from interop.databases._sides import LAYOUTS, Original, Ours, Places

KINDS = ("file", "sqlite", "pg", "postgres")
CASES = [
    (kind, layout)
    for kind in KINDS
    for layout in ("json", "mergeable", "tabular")
    if (kind, layout) != ("file", "tabular")
] + [
    *[(kind, layout) for kind in ("sqlite", "pg") for layout in LAYOUTS if ", " in layout],
    *[("kv", layout) for layout in ("mergeable", "prefix")],
    *[("sql", layout) for layout in ("mergeable", "table name", "fragmented", "fragmented with prefix")],
]
CONTENT: list[Any] = [
    {
        "pets": {
            "fido": {"species": "dog", "tags": ["a", None, {"b": 1.5}], "é\U0001f600": 1.5e300, "n": 0},
            'o"dd': {"species": "", "none": None, "good": True, "n": -1},
            "10": {"n": 1e21, "good": False, "text": "\U0001f600\n\"'\\ \u2028"},
        },
    },
    {"open": True, "n": None, "list": [], "text": "é"},
]
EDITS: tuple[tuple[Any, ...], ...] = (
    ("setCell", "pets", "fido", "species", "wolf"),
    ("setCell", "pets", "felix", "new", {"x": [1]}),
    ("delCell", "pets", "fido", "n"),
    ("delRow", "pets", "10"),
    ("setValue", "open", False),
    ("delValue", "n"),
    ("setPartialRow", "pets", "felix", {"a": 1, "b": None}),
    ("delTable", "pets"),
    ("setRow", "pets", "last", {"species": "cat"}),
)
OUR_NAMES = {
    "setCell": "set_cell",
    "delCell": "del_cell",
    "delRow": "del_row",
    "setValue": "set_value",
    "delValue": "del_value",
    "setPartialRow": "set_partial_row",
    "delTable": "del_table",
    "setRow": "set_row",
}


@pytest.mark.parametrize(("kind", "layout"), CASES)
def test_each_loads_what_the_other_saved(kind: str, layout: str, places: Places) -> None:
    async def main() -> None:
        place = places.place()
        with Original(kind, place, layout) as original:
            await original.call("setContent", CONTENT)
            assert (await original.do("save"))["errors"] == []
            stored = places.dump()
            told = await original.do("load")
            async with Ours(kind, place, layout) as ours:
                await ours.persister.load()
                assert ours.errors == []
                assert ours.content == told["content"]
                assert repr(ours.store.get_values()) == repr(told["content"][1])  # 1 is not True
                assert ours.hashes() == told["hashes"]
                places.clear()
                async with Ours(kind, place, layout) as again:
                    again.take(ours)
                    await again.persister.save()
            if not layout.startswith("tabular"):  # there, what was absent is null now
                assert places.dump() == stored
            told_again = await original.do("load")
            assert told_again == told
            await original.do("destroy")

    asyncio.run(main())


@pytest.mark.parametrize(("kind", "layout"), CASES)
def test_both_write_the_same(kind: str, layout: str, places: Places) -> None:
    async def by_original(place: str) -> list[Any]:
        with Original(kind, place, layout) as original:
            await original.call("setContent", CONTENT)
            await original.do("startAutoSave")
            dumps = [places.dump()]
            for edit in EDITS:
                await original.call(*edit)
                await original.do("settle")
                dumps.append(places.dump())
            assert (await original.do("save"))["errors"] == []
            await original.do("destroy")
            return [*dumps, places.dump()]

    async def by_ours(place: str) -> list[Any]:
        async with Ours(kind, place, layout) as ours:
            ours.store.set_content(CONTENT)
            await ours.persister.start_auto_save()
            dumps = [places.dump()]
            for method, *arguments in EDITS:
                getattr(ours.store, OUR_NAMES[method])(*arguments)
                await ours.settle()
                dumps.append(places.dump())
            await ours.persister.save()
            assert ours.errors == []
            return [*dumps, places.dump()]

    async def main() -> None:
        expected = await by_original(places.place())
        places.clear()
        assert await by_ours(places.place()) == expected

    asyncio.run(main())
