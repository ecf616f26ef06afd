"""What migrations do to the data of one directory, start after start."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import ConfigError, StorageError
from durabase.workers.loader import load_worker, load_workers
from durabase.workers.runtime import Runtime

from .programs import TOML, program_config

PROGRAM = """
    from durabase.workers import DurableObject

    class Counter(DurableObject):
        async def count(self):
            count = (await self.ctx.storage.get("count") or 0) + 1
            await self.ctx.storage.put("count", count)
            return f"{self.ctx.id} {count}"

    Room = Hall = Counter
"""


def migration(tag: str, directive: str) -> str:
    return f'[[migrations]]\ntag = "{tag}"\n{directive}\n'


def binding(class_name: str) -> str:
    return f'[[durable_objects.bindings]]\nname = "ROOM"\nclass_name = "{class_name}"\n'


NEW = migration("v1", 'new_sqlite_classes = ["Room"]')
ROOM_TO_HALL = 'renamed_classes = [{ from = "Room", to = "Hall" }]'


def count(directory: Path, *parts: str, worker: str = "app", delete: bool = False, bound: bool = True) -> str:
    """Start, let the object "a" count if there is a binding, and stop."""
    config = program_config(
        directory / worker, PROGRAM, TOML.replace('"app"', f'"{worker}"') + "".join(parts)
    )

    async def main() -> str:
        state = directory / "state"
        async with Runtime(config, load_worker(config), state, may_delete_classes=delete) as runtime:
            return str(await runtime.env.ROOM.getByName("a").count()) if bound else ""

    return asyncio.run(main())


@pytest.mark.feature("M-CF-4")
def test_tags_are_remembered(tmp_path: Path) -> None:
    first = count(tmp_path, binding("Room"), NEW)
    known = json.loads((tmp_path / "state" / "classes.json").read_text())["workers"]["app"]
    assert known["tags"] == ["v1"]
    assert known["table"]["classes"]["Room"]["storage"] == "sqlite"
    assert count(tmp_path, binding("Room"), NEW) == first.replace(" 1", " 2")


def test_a_worker_without_objects_leaves_nothing(tmp_path: Path) -> None:
    count(tmp_path, bound=False)
    assert not (tmp_path / "state" / "classes.json").exists()


@pytest.mark.feature("S-NS-2", "S-CF-2")
def test_a_renamed_class_keeps_ids_and_data(tmp_path: Path) -> None:
    first = count(tmp_path, binding("Room"), NEW)
    again = count(tmp_path, binding("Hall"), NEW, migration("v2", ROOM_TO_HALL))
    assert again == first.replace(" 1", " 2")
    assert count(tmp_path, binding("Hall"), NEW, migration("v2", ROOM_TO_HALL)) == first.replace(" 1", " 3")


@pytest.mark.feature("S-CF-2")
def test_deleting_a_class_deletes_its_objects_once_it_is_allowed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    count(tmp_path, binding("Room"), NEW)
    folder = tmp_path / "state" / "app-Room"
    gone = migration("v2", 'deleted_classes = ["Room"]')
    with pytest.raises(ConfigError, match=r"app: Room: migrations delete them, .* --delete-classes"):
        count(tmp_path, NEW, gone, bound=False)
    assert folder.exists()
    count(tmp_path, NEW, gone, delete=True, bound=False)
    assert not folder.exists()
    assert "app: a migration deleted the class Room and all its objects (" in caplog.text
    count(tmp_path, NEW, gone, bound=False)
    again = migration("v3", 'new_sqlite_classes = ["Room"]')
    assert count(tmp_path, binding("Room"), NEW, gone, again).endswith(" 1")
    assert count(tmp_path, binding("Room"), NEW, gone, again).endswith(" 2")


def test_a_new_directory_has_nothing_to_delete(tmp_path: Path) -> None:
    gone = migration("v2", 'deleted_classes = ["Room"]')
    count(tmp_path, NEW, gone, delete=True, bound=False)
    count(tmp_path, NEW, gone, bound=False)


@pytest.mark.parametrize(
    "migrations",
    [[], [migration("v0", 'new_classes = ["Hall"]'), NEW], [migration("vX", 'new_classes = ["Room"]')]],
)
def test_what_was_made_has_to_stay_in_the_configuration(tmp_path: Path, migrations: list[str]) -> None:
    count(tmp_path, binding("Room"), NEW)
    with pytest.raises(ConfigError, match="has had the migrations v1, in this order; the configuration"):
        count(tmp_path, *migrations, bound=False)
    assert count(tmp_path, binding("Room"), NEW).endswith(" 2")


@pytest.mark.feature("M-CF-4")
@pytest.mark.parametrize("parts", [[NEW], [migration("v1", 'new_classes = ["Room"]')], []])
def test_a_class_that_was_bound_only_can_be_given_the_migration_it_lacks(
    tmp_path: Path, parts: list[str]
) -> None:
    count(tmp_path, binding("Room"))
    if parts == [NEW]:
        complaint = r"have key-value storage \(new_classes\); that can't be changed to SQLite"
        with pytest.raises(ConfigError, match=complaint):
            count(tmp_path, binding("Room"), *parts)
    else:
        assert count(tmp_path, binding("Room"), *parts).endswith(" 2")


TRANSFER = migration("t1", 'transferred_classes = [{ from = "Room", from_script = "old", to = "Hall" }]')


@pytest.mark.feature("S-NS-2", "C-CF-1")
def test_a_class_is_transferred_from_another_worker(tmp_path: Path) -> None:
    first = count(tmp_path, binding("Room"), NEW, worker="old")
    assert count(tmp_path, binding("Hall"), TRANSFER, worker="new") == first.replace(" 1", " 2")
    assert count(tmp_path, binding("Hall"), TRANSFER, worker="new") == first.replace(" 1", " 3")
    count(tmp_path, NEW, worker="old", bound=False)
    known = json.loads((tmp_path / "state" / "classes.json").read_text())["workers"]
    assert known["old"]["table"]["classes"] == {}
    assert known["new"]["table"]["classes"]["Hall"]["original_worker"] == "old"


@pytest.mark.feature("C-CF-1")
@pytest.mark.parametrize("is_old_first", [True, False])
def test_both_workers_of_a_transfer_in_one_process(tmp_path: Path, is_old_first: bool) -> None:
    first = count(tmp_path, binding("Room"), NEW, worker="old")
    theirs = binding("Hall") + 'script_name = "new"\n'
    parts = {"old": theirs + NEW, "new": binding("Hall") + TRANSFER}
    names = ["old", "new"] if is_old_first else ["new", "old"]
    configs = [
        program_config(tmp_path / name, PROGRAM, TOML.replace('"app"', f'"{name}"') + parts[name])
        for name in names
    ]

    async def main() -> str:
        (config, worker), *others = zip(configs, load_workers(configs), strict=True)
        async with Runtime(config, worker, tmp_path / "state", others=others) as runtime:
            return str(await runtime.env.ROOM.getByName("a").count())

    assert asyncio.run(main()) == first.replace(" 1", " 2")
    assert asyncio.run(main()) == first.replace(" 1", " 3")


def test_a_transferred_class_that_was_never_here(tmp_path: Path) -> None:
    assert count(tmp_path, binding("Hall"), TRANSFER, worker="new").endswith(" 1")
    count(tmp_path, NEW, worker="old", bound=False)
    known = json.loads((tmp_path / "state" / "classes.json").read_text())["workers"]
    assert known["old"] == {"tags": ["v1"], "table": {"classes": {}, "created": {}}}


def export(class_name: str, **more: str) -> str:
    settings = "".join(f'{key} = "{value}"\n' for key, value in more.items())
    return f'[exports.{class_name}]\ntype = "durable-object"\n{settings}'


@pytest.mark.feature("S-CF-3")
def test_exports_say_what_there_shall_be(tmp_path: Path) -> None:
    first = count(tmp_path, binding("Room"), export("Room"))
    renamed = (export("Room", state="renamed", renamed_to="Hall"), export("Hall"))
    assert count(tmp_path, binding("Hall"), *renamed) == first.replace(" 1", " 2")
    assert count(tmp_path, binding("Hall"), *renamed) == first.replace(" 1", " 3")
    assert count(tmp_path, binding("Hall"), export("Hall")) == first.replace(" 1", " 4")
    count(tmp_path, export("Hall", state="transferred", transferred_to="new"), bound=False)
    expecting = export("Hall", state="expecting-transfer", transfer_from="app")
    assert count(tmp_path, binding("Hall"), expecting, worker="new") == first.replace(" 1", " 5")
    count(tmp_path, export("Hall", state="deleted"), worker="new", delete=True, bound=False)
    assert not (tmp_path / "state" / "app-Room").exists()


@pytest.mark.parametrize("text", ["{", '{"format": 2, "workers": {}}', "[]", '{"format": 1}'])
def test_a_damaged_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "classes.json").write_text(text)
    with pytest.raises(StorageError, match=r"classes\.json is damaged or of a later version"):
        count(tmp_path, binding("Room"), NEW)


@pytest.mark.parametrize(
    ("directive", "complaint"),
    [
        (
            'deleted_classes = ["Room"]',
            "app: Room: migrations delete them, with all their objects. Stop and start",
        ),
        (ROOM_TO_HALL, "A migration renames Room to Hall. Stop and start"),
    ],
)
def test_what_can_not_be_done_while_it_runs(tmp_path: Path, directive: str, complaint: str) -> None:
    def config(*parts: str) -> Any:
        return program_config(tmp_path / "app", PROGRAM, TOML + "".join(parts))

    async def main() -> str:
        first = config(binding("Room"), NEW)
        async with Runtime(first, load_worker(first), tmp_path / "state", may_delete_classes=True) as runtime:
            second = config(NEW, migration("v2", directive))
            with pytest.raises(ConfigError, match=complaint):
                await runtime.reload(second, load_worker(second))
            third = config(binding("Room"), NEW, migration("v2", 'new_classes = ["Hall"]'))
            await runtime.reload(third, load_worker(third))
            return str(await runtime.env.ROOM.getByName("a").count())

    assert asyncio.run(main()).endswith(" 1")
    assert json.loads((tmp_path / "state" / "classes.json").read_text())["workers"]["app"]["tags"] == [
        "v1",
        "v2",
    ]
