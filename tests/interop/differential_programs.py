"""Random programs of store operations, from a seed; see ``differential_durabase`` for their form.

Ids, things and times are few, so that operations meet. About one program in three has schemas, one in
two has listeners, and changes made up by hand are mostly well-formed but for one place.

Left out, as durabase does better on purpose: what is no object given as a row under a schema (the original
throws, or reports nonsense), and ``[]``, ``0`` or ``false`` as an HLC (the original takes them for ``""``).
"""

from __future__ import annotations

from random import Random
from typing import Any

from durabase.mergeable import HybridClock

__all__ = ["make_colliding_program", "make_program"]

START = 1_700_000_000_000
TABLES = ["t1", "t2", "10"]
ROWS = ["r1", "r2", "0", "1", "007"]
CELLS = ["a", "b", "c", "1"]
VALUES = ["v", "w", "3", "__proto__"]
UNDEFINED = {"$": "undefined"}
GOOD_THINGS: list[Any] = [
    0, 1, 2, -1, 1.5, 1e21, 1e-7, 2**53, {"$": "number", "v": "-0"}, "", "x", "Zoë", "\U0001f600", "7", True,
    False, None, [], {}, [1, [2, None]], {"b": 1, "a": {"$": "number", "v": "-0"}, "1": "x"}, "x\ufffc",
]  # fmt: skip
BAD_THINGS: list[Any] = [
    UNDEFINED, {"$": "number", "v": "NaN"}, {"$": "number", "v": "Infinity"}, "\ufffc", "\ufffd{}", "\ufffd",
    {"$": "utf16", "v": [0xD800]}, {"$": "utf16", "v": [0xDC00, 0x41]},
]  # fmt: skip
ENCODED_THINGS: list[Any] = ["\ufffd{}", "\ufffd[1]", '\ufffd{"a":1}', "\ufffd", "\ufffd5", "\ufffd{", "x"]
MAKERS = [{"$": "fn", "v": "add1"}, {"$": "fn", "v": "concat"}]
SCHEMAS: list[Any] = [
    {"type": "number"},
    {"type": "string", "default": "d"},
    {"type": "number", "default": 7, "allowNull": True},
    {"type": "boolean", "required": True},
    {"enum": [1, "x", True], "default": "x"},
    {"type": ["object", "array"], "default": [1]},
    {"type": ["string", "number"]},
    {"type": "object", "allowNull": True, "default": None},
    {"type": "nonsense"},
    {"type": "number", "default": "wrong"},
]
ID_POOLS: dict[str, list[list[str]]] = {
    "HasTables": [], "Tables": [], "TableIds": [], "HasTable": [TABLES], "Table": [TABLES],
    "TableCellIds": [TABLES], "HasTableCell": [TABLES, CELLS], "RowCount": [TABLES], "RowIds": [TABLES],
    "HasRow": [TABLES, ROWS], "Row": [TABLES, ROWS], "CellIds": [TABLES, ROWS],
    "HasCell": [TABLES, ROWS, CELLS], "Cell": [TABLES, ROWS, CELLS], "InvalidCell": [TABLES, ROWS, CELLS],
    "HasValues": [], "Values": [], "ValueIds": [], "HasValue": [VALUES], "Value": [VALUES],
    "InvalidValue": [VALUES],
}  # fmt: skip
TRANSACTION_KINDS = ["StartTransaction", "WillFinishTransaction", "DidFinishTransaction"]


def make_program(seed: int) -> dict[str, Any]:
    """The program of a seed."""
    return _Maker(Random(seed)).program()


def make_colliding_program(seed: int) -> dict[str, Any]:
    """The program of a seed, of several stores that all have one unique id."""
    maker = _Maker(Random(seed))
    maker.count = maker.random.randint(2, 3)
    program = maker.program()
    return {**program, "stores": ["s0"] * len(program["stores"])}


class _Maker:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.pick = random.choice
        self.now = START
        self.count = random.randint(1, 3)
        self.clock = HybridClock("made up")
        self.has_schemas = self.chance(0.4)

    def program(self) -> dict[str, Any]:
        steps: list[Any] = []
        if self.has_schemas:
            steps += [self.step(self.schema()) for _ in range(self.random.randint(1, 2))]
        if self.chance(0.5):
            steps += [self.step(self.listen()) for _ in range(self.random.randint(1, 6))]
        length = self.random.randint(100, 300) if self.chance(0.1) else self.random.randint(4, 30)
        steps += [self.step(self.operation(0)) for _ in range(length)]
        return {
            "start": START,
            "eager": self.chance(0.5),
            "stores": [f"s{number}" for number in range(self.count)],
            "steps": steps,
        }

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def step(self, operation: dict[str, Any]) -> dict[str, Any]:
        if self.chance(0.5):
            self.now += self.pick([0, 1, 1, 5, 1000, -3, 400_000, -400_000])
        return {"now": self.now, "store": self.random.randrange(self.count), **operation}

    # -- operations

    def operation(self, depth: int) -> dict[str, Any]:
        kinds = [(self.edit, 60), (self.exchange, 16), (self.made_up, 8), (self.whole, 6)]
        if self.has_schemas:
            kinds.append((self.schema, 4))
        if depth < 2:
            kinds.append((lambda: self.transaction(depth), 14))
        if depth == 0:
            kinds += [(self.listen, 2), (self.listener_call, 3)]
        makers, weights = zip(*kinds, strict=True)
        made: dict[str, Any] = self.random.choices(makers, weights)[0]()
        return made

    def transaction(self, depth: int) -> dict[str, Any]:
        operations = [self.operation(depth + 1) for _ in range(self.random.randint(1, 4))]
        return {
            "op": self.pick(["transaction", "transaction", "transaction", "throwing"]),
            "ops": operations,
            "rollback": self.chance(0.25),
        }

    def edit(self) -> dict[str, Any]:
        table, row, cell, value = self.pick(TABLES), self.pick(ROWS), self.pick(CELLS), self.pick(VALUES)
        name, args = self.pick(
            [
                ("setCell", [table, row, cell, self.thing_or_maker()]),
                ("setCell", [table, row, cell, self.thing()]),
                ("setCell", [table, row, cell, self.thing()]),
                ("setRow", [table, row, self.row()]),
                ("setPartialRow", [table, row, self.row()]),
                ("addRow", [table, self.row(), *([False] if self.chance(0.2) else [])]),
                ("setTable", [table, self.table()]),
                ("setTables", [self.tables()]),
                ("setValue", [value, self.thing_or_maker()]),
                ("setValue", [value, self.thing()]),
                ("setValues", [self.values()]),
                ("setPartialValues", [self.values()]),
                ("delCell", [table, row, cell, *([self.chance(0.5)] if self.chance(0.5) else [])]),
                ("delRow", [table, row]),
                ("delTable", [table]),
                ("delTables", []),
                ("delValue", [value]),
                ("delValues", []),
                ("applyChanges", [[self.changed_tables(), self.changed_values(), 1]]),
                ("getSortedRowIds", self.sorted_args(table)),
            ]
        )
        return {"op": name, "args": args}

    def sorted_args(self, table: str) -> list[Any]:
        limit = self.pick([UNDEFINED, 1, 2])
        return [table, self.pick([*CELLS, UNDEFINED]), self.chance(0.5), self.pick([0, 0, 1]), limit]

    def exchange(self) -> dict[str, Any]:
        if self.chance(0.5):
            return {"op": "deliver", "message": self.random.randrange(1000)}
        other = self.random.randrange(self.count)
        return {"op": self.pick(["give", "pull", "pull", "merge", "copy"]), "other": other}

    def whole(self) -> dict[str, Any]:
        content = [self.tables(), self.values()]
        name, args = self.pick(
            [
                ("setContent", [content]),
                ("setDefaultContent", [content]),
                (
                    "setJson",
                    [self.pick(['[{"t1":{"r1":{"a":1}}},{"v":"\ufffd[]"}]', '{"t1":{"0":{"a":2}}}', "x"])],
                ),
                ("setTablesJson", [self.pick(['{"t2":{"1":{"b":"\ufffd{}","1":-0}}}', "{}", "[", "5"])]),
                ("setValuesJson", [self.pick(['{"v":1e400}', '{"w":null}', "{}", ""])]),
            ]
        )
        return {"op": name, "args": args}

    def schema(self) -> dict[str, Any]:
        tables = self.object({table: self.object(self.schemas(CELLS)) for table in self.some(TABLES)})
        values = self.object(self.schemas(VALUES))
        name, args = self.pick(
            [
                ("setTablesSchema", [tables]),
                ("setValuesSchema", [values]),
                ("setSchema", [tables, values]),
                ("delTablesSchema", []),
                ("delValuesSchema", []),
            ]
        )
        return {"op": name, "args": args}

    def schemas(self, ids: list[str]) -> dict[str, Any]:
        return {id_: self.pick(SCHEMAS) for id_ in self.some(ids)}

    # -- listeners

    def listen(self) -> dict[str, Any]:
        made: dict[str, Any] = {"op": "listen"}
        if self.chance(0.15):
            made |= {"kind": self.pick(TRANSACTION_KINDS), "args": []}
        elif self.chance(0.1):
            args = self.sorted_args(self.pick(TABLES))
            made |= {"kind": "SortedRowIds", "args": args, "mutator": self.chance(0.3)}
        else:
            kind = self.pick(list(ID_POOLS))
            args = [None if self.chance(0.5) else self.pick(pool) for pool in ID_POOLS[kind]]
            made |= {"kind": kind, "args": args, "mutator": self.chance(0.4)}
        if self.chance(0.4):
            made["action"] = self.edit() if self.chance(0.85) else self.exchange()
        if self.chance(0.3):
            is_value = "Value" in made["kind"]
            made["probe"] = [self.pick(VALUES)] if is_value else [self.pick(p) for p in (TABLES, ROWS, CELLS)]
        return made

    def listener_call(self) -> dict[str, Any]:
        name = self.pick(["callListener", "callListener", "delListener"])
        return {"op": name, "listener": self.random.randrange(8)}

    # -- content

    def some(self, ids: list[str]) -> list[str]:
        return self.random.sample(ids, self.random.randint(0 if self.chance(0.1) else 1, min(3, len(ids))))

    def object(self, members: dict[str, Any]) -> Any:
        return {"$": "object", "v": [[key, member] for key, member in members.items()]}

    def thing(self) -> Any:
        return self.pick(BAD_THINGS if self.chance(0.08) else GOOD_THINGS)

    def thing_or_maker(self) -> Any:
        return self.pick(MAKERS) if self.chance(0.4) else self.thing()

    def row(self) -> Any:
        if not self.has_schemas and self.chance(0.03):
            return self.pick([5, None, "x", []])
        return self.object({cell: self.thing() for cell in self.some(CELLS)})

    def table(self) -> Any:
        return self.object({row: self.row() for row in self.some(ROWS)})

    def tables(self) -> Any:
        return self.object({table: self.table() for table in self.some(TABLES)})

    def values(self) -> Any:
        return self.object({value: self.thing() for value in self.some(VALUES)})

    def changed_tables(self) -> Any:
        return self.object({table: self.maybe_undefined(self.changed_table) for table in self.some(TABLES)})

    def changed_table(self) -> Any:
        return self.object({row: self.maybe_undefined(self.changed_row) for row in self.some(ROWS)})

    def changed_row(self) -> Any:
        return self.object({cell: self.maybe_undefined(self.thing) for cell in self.some(CELLS)})

    def changed_values(self) -> Any:
        return self.object({value: self.maybe_undefined(self.thing) for value in self.some(VALUES)})

    def maybe_undefined(self, make: Any) -> Any:
        return UNDEFINED if self.chance(0.2) else make()

    # -- changes made up by hand

    def made_up(self) -> dict[str, Any]:
        with_hashes = self.chance(0.4)
        tables = self.stamp(self.stamped(TABLES, lambda: self.stamped_table(with_hashes)), True, with_hashes)
        values = self.stamp(self.stamped(VALUES, lambda: self.stamped_thing(with_hashes)), True, with_hashes)
        changes: Any = [tables, values] if with_hashes else [tables, values, 1]
        if self.chance(0.25):
            changes = self.spoilt(changes)
        if with_hashes:
            name = self.pick(["setMergeableContent", "setEncoded", "setEncoded", "applyEncoded"])
        else:
            name = self.pick(["applyMergeableChanges", "applyEncoded", "applyEncoded"])
        return {"op": name, "args": [changes]}

    def stamped(self, ids: list[str], make: Any) -> Any:
        return self.object({id_: make() for id_ in self.some(ids)})

    def stamped_table(self, with_hashes: bool) -> Any:
        rows = self.stamped(ROWS, lambda: self.stamped_row(with_hashes))
        return self.stamp(rows if self.chance(0.95) else {}, True, with_hashes)

    def stamped_row(self, with_hashes: bool) -> Any:
        cells = self.stamped(CELLS, lambda: self.stamped_thing(with_hashes))
        return self.stamp(cells if self.chance(0.85) else {}, True, with_hashes)

    def stamped_thing(self, with_hashes: bool) -> Any:
        pool = [*ENCODED_THINGS] if self.chance(0.15) else GOOD_THINGS
        return self.stamp(UNDEFINED if self.chance(0.2) else self.pick(pool), False, with_hashes)

    def stamp(self, thing: Any, is_container: bool, with_hash: bool) -> list[Any]:
        hlc = "" if self.chance(0.85 if is_container else 0.1) else self.hlc()
        if with_hash:
            return [thing, hlc, self.pick([0, 1, 12345, 4294967295, -1, 1.5])]
        return [thing, hlc] if hlc or self.chance(0.2) else [thing]

    def hlc(self) -> str:
        time = self.now + self.pick([0, 0, -1, 1, -5, 7, 1000, 299_999, 300_000, 300_001])
        return self.clock.encode(time, self.random.randint(0, 3), self.pick(["s0", "s1", "x"]))

    def spoilt(self, changes: Any) -> Any:
        """Changes with something wrong, or odd, in one place."""
        bad = self.pick(
            [
                None,
                5,
                "x",
                [],
                {},
                True,
                UNDEFINED,
                [{}],
                [{}, "bad"],
                [{}, None],
                [{}, "", "0"],
                [1, 2, 3, 4],
            ]
        )
        place: Any = changes
        while self.chance(0.8):
            inner = place[0] if isinstance(place, list) else place
            members = inner["v"] if isinstance(inner, dict) and inner.get("$") == "object" else None
            if isinstance(place, list) and place is changes:
                place = place[self.random.randrange(2)]
            elif members:
                place = self.pick(members)[1]
            else:
                break
        if isinstance(place, list) and place:
            index = self.random.randrange(len(place))
            place[index] = None if index == 1 and bad == [] else bad
        return changes
