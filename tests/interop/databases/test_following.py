"""The original and ours at one database at the same time, each following what the other does."""

from __future__ import annotations

import asyncio

import pytest

from interop.databases._sides import Original, Ours, Places


@pytest.mark.parametrize("layout", ["json", "mergeable", "tabular"])
@pytest.mark.parametrize("kind", ["pg", "postgres"])
@pytest.mark.parametrize("first", ["original", "ours"])
def test_each_follows_the_other(kind: str, layout: str, first: str, places: Places) -> None:
    async def main() -> None:
        place = places.place()
        with Original(kind, place, layout) as original:
            async with Ours(kind, place, layout) as ours:
                if first == "ours":
                    await ours.persister.start_auto_persisting()
                # With a mergeable store that saves automatically, the original saves whenever it has loaded
                await original.do("startAutoLoad" if layout == "mergeable" else "startAutoPersisting")
                if first == "original":
                    await ours.persister.start_auto_persisting()
                await original.do("quiet")
                await original.call("setCell", "pets", "fido", "n", 1)
                if layout == "mergeable":
                    await original.do("save")
                await ours.until([{"pets": {"fido": {"n": 1}}}, {}])
                await original.do("quiet")
                ours.store.set_cell("pets", "fido", "n", 2).set_value("open", True)
                await original.do("until", [{"pets": {"fido": {"n": 2}}}, {"open": True}])
                await original.do("quiet")
                assert (await original.do("destroy"))["errors"] in ([], ["tinybase:1:null"])
                async with Ours(kind, place, layout) as other:
                    await other.persister.load()
                    other.store.set_value("open", False)
                    await other.persister.save()
                await ours.until([{"pets": {"fido": {"n": 2}}}, {"open": False}])
                assert [str(error) for error in ours.errors] in ([], ["tinybase:1:null"])

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["sqlite"])
def test_each_follows_the_other_in_a_sqlite_file(kind: str, places: Places) -> None:
    async def main() -> None:
        place = places.place()
        with Original(kind, place, "tabular") as original:
            async with Ours(kind, place, "tabular") as ours:
                await original.do("startAutoPersisting")
                await ours.persister.start_auto_persisting()
                await original.call("setCell", "pets", "fido", "n", 1)
                await ours.until([{"pets": {"fido": {"n": 1}}}, {}])
                ours.store.set_cell("pets", "fido", "n", 2).set_value("open", "yes")
                await original.do("until", [{"pets": {"fido": {"n": 2}}}, {"open": "yes"}])
                await original.do("destroy")

    asyncio.run(main())
