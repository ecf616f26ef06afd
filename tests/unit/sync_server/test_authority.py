from __future__ import annotations

import asyncio

import pytest

from durabase.errors import ServerError
from durabase.mergeable import MergeableStore
from durabase.sync_server import Access, Proposal, Rules, WsServer, WsServerDurableObject
from durabase.sync_server.authority import Authority, unlike
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from unit.sync_server._fakes import FakeContext, FakePort, MemoryPersister, ObjectSockets, settle

NOW = 1_700_000_000_000


def stores() -> tuple[MergeableStore, MergeableStore]:
    return MergeableStore("s", clock=FakeClock(NOW)), MergeableStore("c", clock=FakeClock(NOW + 1))


def merge(authority: Authority, server: MergeableStore, client: MergeableStore) -> None:
    authority.merge(server, "client", client._get_encoded_mergeable_content())


def test_a_proposal_tells_what_would_change() -> None:
    server, client = stores()
    server.set_cell("t", "r", "a", [1]).set_value("v", 1)
    client.set_cell("t", "r", "a", {"x": 1}).set_cell("t", "r", "b", 2).set_value("v", 2).del_value("v")
    told = []

    def validate(proposal: Proposal) -> None:
        told.append(proposal.client_id)
        told.extend(
            (edit.table_id, edit.row_id, edit.cell_id, edit.value_id, edit.thing, proposal.before(edit))
            for edit in proposal.edits
        )
        assert [edit.is_deletion for edit in proposal.edits] == [False, False, True]
        assert proposal.store is server

    merge(Authority(validate, None, print), server, client)
    assert told == [
        "client",
        ("t", "r", "a", None, {"x": 1}, [1]),
        ("t", "r", "b", None, 2, UNDEFINED),
        (None, None, None, "v", UNDEFINED, 1),
    ]
    assert server.get_content() == client.get_content()


def test_what_is_refused_is_not_done_and_told_with_reasons() -> None:
    server, client = stores()
    server.set_values_schema({"a": {"type": "number"}, "b": {"type": "number"}, "c": {"type": "number"}})
    client.set_values({"a": 1, "b": 1, "c": "text"})
    told: list[Proposal] = []

    def validate(proposal: Proposal) -> None:
        assert [edit.value_id for edit in proposal.edits] == ["a", "b"]
        proposal.refuse(proposal.edits[0], "why not")
        proposal.refuse(proposal.edits[0], "another reason")

    merge(Authority(validate, told.append, print), server, client)
    assert server.get_values() == {"b": 1}
    assert {edit.value_id: reason for edit, reason in told[0].refused.items()} == {
        "a": "why not",
        "c": "the schema does not allow it",
    }


def test_nothing_is_told_where_nothing_is_refused() -> None:
    server, client = stores()
    told: list[Proposal] = []
    merge(Authority(None, told.append, print), server, client.set_value("a", 1))
    assert told == []
    assert server.get_values() == {"a": 1}


def test_what_can_not_be_checked_is_refused() -> None:
    server, client = stores()
    errors: list[Exception] = []

    def validate(_: Proposal) -> None:
        raise LookupError("where?")

    merge(Authority(validate, None, errors.append), server, client.set_value("a", 1))
    assert [repr(error) for error in errors] == ["LookupError('where?')"]
    assert server.get_values() == {}


def test_things_that_are_no_json_are_refused() -> None:
    server, _ = stores()
    broken = [[{}], [{"v": ["\ufffd{", "NjEtLV-----7JQY8"]}], 1]
    Authority(None, None, print).merge(server, "client", broken)
    assert server.get_values() == {}
    assert server.get_mergeable_content()[1][0]["v"][0] is UNDEFINED


def test_a_correction_that_was_for_a_clock_far_ahead_is_no_edit_when_the_time_has_come() -> None:
    clock = FakeClock(NOW)
    server, client = MergeableStore("s", clock=clock), MergeableStore("c", clock=FakeClock(NOW + 3_600_000))
    authority = Authority(None, None, print)
    server.set_value("v", "old")
    client.set_value("v", "mine")

    def send() -> None:
        client._apply_encoded_mergeable_changes(
            authority.merge(server, "client", client._get_encoded_mergeable_content())
        )

    send()
    assert client.get_value("v") == "old"
    server.set_value("v", "new")
    clock.advance(3_600_000)
    send()
    assert server.get_value("v") == "new"
    client._apply_encoded_mergeable_changes(server._get_encoded_mergeable_content())
    assert client.get_mergeable_content() == server.get_mergeable_content()


def test_unlike_is_what_has_another_time() -> None:
    stamps = [
        [{"t": [{"r": [{"a": [1, "x"], "b": [2, "y"], "c": [3]}]}], "u": [{"r": [{"a": [1, "x"]}]}]}],
        [{"v": [1]}],
        1,
    ]
    changes = [[{"t": [{"r": [{"a": [9, "x"], "b": [2, "w"], "c": [3]}]}]}], [{}], 1]
    assert unlike(stamps, changes) == [
        [{"t": [{"r": [{"b": [2, "y"]}]}], "u": [{"r": [{"a": [1, "x"]}]}]}],
        [{"v": [1]}],
        1,
    ]


def test_only_what_is_authoritative_refuses() -> None:
    with pytest.raises(ValueError, match="authoritative=True"):
        WsServer(validate=lambda path_id, proposal: None)


def test_a_path_without_a_store_can_not_be_authoritative() -> None:
    async def test() -> None:
        errors: list[Exception] = []
        async with WsServer(None, errors.append, authoritative=True) as ws_server:
            ws_server.connect(FakePort(), "/x", "a")
            await settle()
        assert [type(error) for error in errors] == [ServerError]
        assert "'x' has no store" in str(errors[0])

    asyncio.run(test())


def test_an_object_without_a_store_can_not_be_authoritative() -> None:
    async def test() -> None:
        class Room(WsServerDurableObject):
            authoritative = True

        with pytest.raises(ServerError, match="Room gives none"):
            await ObjectSockets(FakeContext()).construct(Room)

    asyncio.run(test())


def test_clients_hear_the_server_alone() -> None:
    async def test() -> None:
        def persister(_: str) -> MemoryPersister:
            return MemoryPersister(MergeableStore(), {})

        async with WsServer(persister, lambda _: None, authoritative=True, clock=FakeClock()) as ws_server:
            ports = {name: FakePort() for name in "abc"}
            connections = {name: ws_server.connect(port, "/x", name) for name, port in ports.items()}
            await settle()
            for port in ports.values():
                port.take()
            connections["a"].on_text('b\n["t",1,""]')
            assert [port.take() for port in ports.values()] == [[], [], []]
            connections["a"].on_text('\n["t",1,""]')
            assert [port.take() for port in ports.values()] == [['S\n["t",0,[0,0]]'], [], []]
            connections["a"].on_text('\n["t",3,[[{}],[{"v":[1,"NjEtLV-----7JQY8"]}],1]]')
            told = [port.take() for port in ports.values()]
            assert told[0] == []
            assert told[1] == told[2]
            assert told[1][0].startswith("S\n")
            assert told[1][0].endswith(',3,[[{}],[{"v":[1,"NjEtLV-----7JQY8"]}],1]]')

    asyncio.run(test())


def test_the_servers_own_edits_are_not_asked_about_and_readers_are_corrected() -> None:
    async def test() -> None:
        def validate(path_id: str, proposal: Proposal) -> None:
            proposal.refuse_all()

        def persister(_: str) -> MemoryPersister:
            return MemoryPersister(MergeableStore(clock=FakeClock()), {})

        clock = FakeClock()
        server = WsServer(
            persister,
            lambda _: None,
            authoritative=True,
            validate=validate,
            rules=Rules(),
            authorize=lambda request, path_id: Access("read"),
            clock=clock,
        )
        async with server as ws_server:
            port = FakePort()
            reader = ws_server.connect(port, "/x", "a", access=Access("read"))
            async with ws_server.room("x") as room:
                clock.advance(1000)  # nobody answers what the server asks
                await settle()
                port.take()
                room.store.set_value("v", "from the server")
                (told,) = port.take()
                assert told.startswith("S\n")
                assert '"v":["from the server",' in told
                reader.on_text('\n["t",3,[[{}],[{"v":["mine","NjEtLV----zzzzzz"]}],1]]')
                (correction,) = port.take()
                assert '"v":["from the server",' in correction
                assert room.store.get_values() == {"v": "from the server"}

    asyncio.run(test())


@pytest.mark.parametrize("in_slices", [False, True])
def test_who_may_write_nothing_is_told_what_holds_and_leaves_no_trace(in_slices: bool) -> None:
    server, client = stores()
    server.set_table("t", {"r": {"a": 1, "b": [1]}}).set_value("v", 1)
    client.set_table("t", {"r": {"a": 2, "c": 3}, "s": {"a": 1}}).set_values({"v": 2, "w": {"x": 1}})
    before = server.get_mergeable_content()
    refused: list[str] = []
    authority = Authority(
        lambda _: pytest.fail("it is not asked"),
        lambda proposal: refused.extend(proposal.refused.values()),
        print,
        lambda client_id: client_id == "client",
    )
    changes = client._get_encoded_mergeable_content()
    if in_slices:
        slices, told = authority.merge_in_slices(server, "client", changes, 1), None
        while told is None:
            try:
                next(slices)
            except StopIteration as end:
                told = end.value
    else:
        told = authority.merge(server, "client", changes)

    assert server.get_mergeable_content() == before
    assert set(refused) == {"who only reads writes nothing"}
    assert len(refused) == 5
    client._apply_encoded_mergeable_changes(told)
    assert client.get_content() == [{"t": {"r": {"a": 1}}}, {"v": 1}]
    client._apply_encoded_mergeable_changes(server._get_encoded_mergeable_content())
    assert client.get_content() == server.get_content()
