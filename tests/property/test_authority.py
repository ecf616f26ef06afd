"""Authoritative rooms: whatever clients do, in the end all hold what the server holds."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from durabase.mergeable import MergeableStore
from durabase.sync_server import Proposal, WsServerDurableObject
from durabase.sync_server.authority import Authority
from durabase.types import UNDEFINED
from unit.sync_server._world import Client, World

SCHEMA: dict[str, Any] = {
    "free": {"a": {"type": "number"}, "b": {"type": "object"}},
    "defaults": {"a": {"type": "number", "default": 1}, "b": {"type": "string", "default": "x"}},
    "kept": {"a": {"type": "number"}},
    "few": {"a": {"type": "number"}},
}
MOST_ROWS = 2
THINGS = [1, 2, 1e300, -0.0, True, None, "text", {"k": [1]}, [1, {"a": 2}]]


def validate(proposal: Proposal) -> None:
    """Cells of ``kept`` stay, ``few`` has few rows, the value ``top`` only grows."""
    rows = set(proposal.store.get_row_ids("few"))
    for edit in proposal.edits:
        before = proposal.before(edit)
        if edit.table_id == "kept" and edit.is_deletion and before is not UNDEFINED:
            proposal.refuse(edit, "it is kept")
        if edit.table_id == "few" and not edit.is_deletion:
            rows.add(edit.row_id or "")
        is_lower = edit.is_deletion or (before is not UNDEFINED and edit.thing < before)
        if edit.value_id == "top" and is_lower:
            proposal.refuse(edit, "it only grows")
    if len(rows) > MOST_ROWS:
        for edit in proposal.edits:
            if edit.table_id == "few":
                proposal.refuse(edit, "too many rows")


class Court(World):
    """A room with rules, and clients that know none."""

    def make_room(self) -> type[WsServerDurableObject]:
        base: Any = super().make_room()

        class Room(base):  # type: ignore[misc]
            authoritative = True

            def validate(self, proposal: Proposal) -> None:
                validate(proposal)

        return Room

    def make_store(self) -> MergeableStore:
        store = super().make_store()
        return store.set_schema(SCHEMA, {"top": {"type": "number"}, "low": {"type": "number", "default": 0}})

    def edit(self, client: Client) -> None:
        self.clock.advance(self.random.choice([0, 1]))
        pick, store = self.random.choice, client.store
        table = pick(["free", "defaults", "kept", "few", "unknown"])
        row, cell = pick(["r1", "r2", "r3"]), pick(["a", "b", "c"])
        match self.random.randrange(8):
            case 0:
                store.del_cell(table, row, cell, force_del=True)
            case 1:
                store.del_row(table, row)
            case 2:
                store.del_table(table)
            case 3:
                store.set_row(table, row, {cell: pick(THINGS), "a": pick(THINGS)})
            case 4:
                store.set_value(pick(["top", "low", "odd"]), pick([1, 5, "text", None]))
            case 5:
                store.del_value(pick(["top", "low"]))
            case _:
                store.set_cell(table, row, cell, pick(THINGS))

    async def step(self) -> None:
        match self.random.randrange(8):
            case 0:
                self.meet()
            case 1:
                self.disturb()
            case _:
                await super().step()

    async def pass_time(self) -> None:
        """Requests are answered in time: who asks in vain, does not ask again of itself."""
        await self.deliver()
        await super().pass_time()

    def meet(self) -> None:
        """Two clients merge with each other, without the server."""
        one, other = self.random.sample(self.clients, 2)
        one.store._apply_encoded_mergeable_changes(other.store._get_encoded_mergeable_content())

    def disturb(self) -> None:
        """What is under way comes in another order, and twice."""
        self.outbox += self.outbox if self.fragment_size is None else []
        self.random.shuffle(self.outbox)


async def hold_court(seed: int, steps: int) -> None:
    world = Court(seed)
    await world.start()
    for client in world.clients:
        client.store.set_default_content([{"free": {"r1": {"a": world.random.choice([3, "bad"])}}}, {}])
    for _ in range(steps):
        await world.step()
    await world.come_to_rest()
    held = world.store.get_content()
    for client in world.clients:
        assert client.store.get_content() == held
        assert client.store.get_mergeable_content() == world.store.get_mergeable_content()
    assert_lawful(held)
    await world.sockets.construct(world.room)
    assert world.store.get_content() == held


def assert_lawful(content: list[Any]) -> None:
    tables, values = content
    judge = MergeableStore().set_schema(SCHEMA, {"top": {"type": "number"}, "low": {"type": "number"}})
    invalid: list[Any] = []
    judge.add_invalid_cell_listener(None, None, None, lambda *found: invalid.append(found))
    for table_id, table in tables.items():
        for row_id, row in table.items():
            judge.set_partial_row(table_id, row_id, row)
    assert judge.get_tables() == tables
    assert len(tables.get("few", {})) <= MOST_ROWS
    assert set(values) <= {"top", "low"}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 60))
def test_all_copies_come_to_hold_what_the_server_holds(seed: int, steps: int) -> None:
    asyncio.run(asyncio.wait_for(hold_court(seed, steps), 60))


async def judge_both_ways(seed: int, steps: int, things: int) -> None:
    world = Court(seed)
    await world.start()
    for _ in range(steps):
        world.edit(world.random.choice(world.clients))
    at_once = world.make_store()
    refusals: list[list[Any]] = []
    authority = Authority(validate, lambda proposal: refusals.append(_refused(proposal)), print)
    for client in world.clients:
        changes = client.store._get_encoded_mergeable_content()
        in_slices = world.make_store()._set_encoded_mergeable_content(
            at_once._get_encoded_mergeable_content()
        )
        refusals.clear()
        authority.merge(at_once, client.name, changes)
        for _ in authority.merge_in_slices(in_slices, client.name, changes, things):
            pass
        assert refusals[1:] == refusals[: len(refusals) // 2]
        assert in_slices.get_content() == at_once.get_content()


def _refused(proposal: Proposal) -> list[Any]:
    where = ((edit.table_id, edit.row_id, edit.cell_id, edit.value_id) for edit in proposal.refused)
    return sorted(where, key=repr)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 60), things=st.integers(1, 5))
def test_slice_by_slice_it_is_judged_as_at_once(seed: int, steps: int, things: int) -> None:
    asyncio.run(asyncio.wait_for(judge_both_ways(seed, steps, things), 60))
