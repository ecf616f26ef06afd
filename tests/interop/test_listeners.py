"""Listeners that come, go, write and throw while listeners are being called: as in the original."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from durabase.store import Store
from durabase.types import UNDEFINED
from interop._process import NodeProcess

HERE = Path(__file__).parent
PROGRAMS = 400
TABLES, ROWS, CELLS, VALUES = ["t", "u"], ["r", "s"], ["a", "b"], ["v", "w"]
PATHS: dict[str, list[list[str]]] = {
    "HasTables": [], "Tables": [], "TableIds": [], "HasTable": [TABLES], "Table": [TABLES],
    "TableCellIds": [TABLES], "HasTableCell": [TABLES, CELLS], "RowCount": [TABLES], "RowIds": [TABLES],
    "HasRow": [TABLES, ROWS], "Row": [TABLES, ROWS], "CellIds": [TABLES, ROWS],
    "HasCell": [TABLES, ROWS, CELLS], "Cell": [TABLES, ROWS, CELLS], "InvalidCell": [TABLES, ROWS, CELLS],
    "HasValues": [], "Values": [], "ValueIds": [], "HasValue": [VALUES], "Value": [VALUES],
    "InvalidValue": [VALUES], "StartTransaction": [], "WillFinishTransaction": [], "DidFinishTransaction": [],
}  # fmt: skip


MANY_ROWS = [f"r{number}" for number in range(12)]
SORT_KEYS = [
    1,
    2,
    10,
    -1,
    1.5,
    "1",
    "10",
    "2",
    "x",
    "X",
    "é",
    "",
    "\U0001f600",
    "\ufb00",
    True,
    False,
    None,
    [1],
    {"a": 1},
]
SORTERS: dict[str, Callable[[Any, Any], float]] = {
    "length": lambda one, other: length(one) - length(other),
    "backwards": lambda one, other: length(other) - length(one),
    "none": lambda one, other: 0,
}  # fmt: skip


def length(key: Any) -> int:
    return len(key) if isinstance(key, str) and key.isascii() else 0


class Programmer:
    """Makes random programs: transactions of actions, and listeners that react with actions."""

    _kinds = tuple(PATHS)

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._names = 0
        self._is_reaction = True

    def program(self) -> list[Any]:
        listens = [self._listen(2) for _ in range(self._random.randint(2, 6))]
        self._is_reaction = False
        steps = [
            [self._action(0) for _ in range(self._random.randint(1, 3))]
            for _ in range(self._random.randint(2, 6))
        ]
        return [listens, *steps]

    def _listen(self, depth: int) -> list[Any]:
        self._names += 1
        name, kind = f"l{self._names}", self._random.choice(self._kinds)
        path = self._path(kind)
        reactions = [self._action(depth - 1) for _ in range(self._random.choice([0, 1, 1, 2]))]
        return ["listen", name, kind, path, self._random.random() < 0.4, reactions]

    def _path(self, kind: str) -> list[Any]:
        return [None if self._random.random() < 0.5 else self._random.choice(ids) for ids in PATHS[kind]]

    def _action(self, depth: int) -> list[Any]:
        pick, chance = self._random.choice, self._random.random()
        if depth > 0 and chance < 0.25:
            return self._listen(depth)
        if chance < 0.45:  # one that rings itself would never end
            is_ring = depth == 0 and chance < 0.3 and not self._is_reaction
            return ["ring" if is_ring else "unlisten", f"l{self._random.randint(1, 8)}"]
        if chance < 0.5:
            return ["throw", pick(["one", "other"])]
        return self._edit()

    def _edit(self) -> list[Any]:
        pick = self._random.choice
        table, row, cell, value = pick(TABLES), pick(ROWS), pick(CELLS), pick(VALUES)
        return pick(
            [
                ["setCell", table, row, cell, pick([1, 2, "x", "\ufffc"])],
                ["setRow", table, row, {cell: pick([1, 2])}],
                ["delCell", table, row, cell],
                ["delTable", table],
                ["setValue", value, pick([1, 2, "\ufffc"])],
                ["delValue", value],
            ]
        )


class SortingProgrammer(Programmer):
    """Makes programs of listeners to sorted row ids, of all kinds, and of edits that move rows."""

    _kinds = ("SortedRowIds", "SortedRowIds", "SortedRowIds", "RowIds", "Cell")

    def _path(self, kind: str) -> list[Any]:
        pick = self._random.choice
        if kind != "SortedRowIds":
            return super()._path(kind)
        options = {
            "tableId": pick([*TABLES, *TABLES, None]),
            "cellId": pick([*CELLS, None]),
            "descending": pick([True, False]),
            "offset": pick([0, 0, 1, 5, 50, -2]),
            "limit": pick([None, None, 0, 1, 3, 100]),
            "sorter": pick([None, None, *SORTERS]),
        }
        return [options]

    def _edit(self) -> list[Any]:
        pick = self._random.choice
        table, row, cell, key = pick(TABLES), pick(MANY_ROWS), pick(CELLS), pick(SORT_KEYS)
        rows = self._random.sample(MANY_ROWS, self._random.randint(1, len(MANY_ROWS)))
        return pick(
            [
                ["setTable", table, {row_id: {cell: pick(SORT_KEYS)} for row_id in rows}],
                ["setCell", table, row, cell, key],
                ["setCell", table, row, cell, key],
                ["setPartialRow", table, row, {"b": key, "a": key}],
                ["delCell", table, row, cell],
                ["delRow", table, row],
                ["addRow", table, {cell: key}],
            ]
        )


def run(program: list[Any]) -> list[Any]:
    """What listeners are told in our store, as ``listeners.mjs`` does it in the original."""
    store = Store()
    told: list[Any] = []
    ids: dict[str, str] = {}

    def listen(name: str, kind: str, path: list[Any], is_mutator: bool, reactions: list[Any]) -> None:
        def listener(_store: Store, *rest: Any) -> None:
            arguments = list(rest)
            if kind == "SortedRowIds":
                arguments[:-1] = [arguments[0], *(UNDEFINED if it is None else it for it in arguments[1:-1])]
            while arguments and arguments[-1] is UNDEFINED:  # no getter, when called directly
                arguments.pop()
            told.append([name, *map(plain, arguments)])
            for reaction in reactions:
                act(*reaction)

        flags: dict[str, Any] = {} if kind.endswith("Transaction") else {"mutator": is_mutator}
        if kind == "SortedRowIds":
            *path, sorter = path[0].values()
            flags["sorter"] = None if sorter is None else SORTERS[sorter]
        ids[name] = getattr(store, f"add_{snake_case(kind)}_listener")(*path, listener, **flags)
        told.append(["listens", name, ids[name]])

    def act(action: str, *arguments: Any) -> None:
        if action == "listen":
            listen(*arguments)
        elif action == "unlisten":
            store.del_listener(ids.get(arguments[0], "none"))
        elif action == "ring":
            store.call_listener(ids.get(arguments[0], "none"))
        elif action == "throw":
            raise RuntimeError(arguments[0])
        else:
            getattr(store, snake_case(action))(*arguments)

    for step in program:
        try:
            with store.transaction():
                for action in step:
                    act(*action)
        except RuntimeError as error:
            told.append(["threw", str(error)])
        stats = {camel_case(kind): count for kind, count in store.get_listener_stats().items()}
        told.append(["content", store.get_content(), stats])
    return told


def plain(thing: Any) -> Any:
    if thing is UNDEFINED:
        return "(undefined)"
    return "(function)" if callable(thing) else thing


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))


@pytest.fixture(scope="module")
def original() -> Iterator[NodeProcess]:
    with NodeProcess(HERE / "listeners.mjs") as process:
        yield process


def check_programs(original: NodeProcess, programmer: type[Programmer]) -> set[str]:
    """Compare; tell of which kinds there were listeners that were called."""
    called: set[str] = set()
    for seed in range(PROGRAMS):
        program = programmer(seed).program()
        theirs = original.ask(program)
        ours = json.loads(json.dumps(run(program)))
        for number, (found, expected) in enumerate(zip(ours, theirs, strict=False)):
            assert found == expected, (seed, number, ours[: number + 1], json.dumps(program))
        assert len(ours) == len(theirs), (seed, json.dumps(program))
        called |= {json.dumps(one[1:-1]) for one in ours if len(one) == 7}
    return called


def test_random_programs(original: NodeProcess) -> None:
    check_programs(original, Programmer)


def test_listeners_to_sorted_row_ids(original: NodeProcess) -> None:
    assert len(check_programs(original, SortingProgrammer)) > 100, "ways to sort of which listeners were told"


def test_the_order_of_many_rows(original: NodeProcess) -> None:
    """Enough for JavaScript to sort in pieces, with many keys that are equal, or that it finds equal."""
    random = Random(1)
    for number in range(60):
        rows = {f"r{row}": {"a": random.choice(SORT_KEYS)} for row in range(random.randint(2, 300))}
        options = {"tableId": "t", "cellId": random.choice(["a", "a", None]), "descending": number % 2 == 0}
        options |= {"offset": random.choice([0, 3]), "limit": random.choice([None, 20])}
        options["sorter"] = random.choice([None, *SORTERS])
        listens = [["listen", "l", "SortedRowIds", [options], False, []]]
        program = [listens, [["setTable", "t", rows]]]
        assert json.loads(json.dumps(run(program))) == original.ask(program), (number, options)
