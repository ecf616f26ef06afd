"""One store's conversation, without anything to carry it."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import SyncClosedError, SyncMessageError, SyncOverflowError, SyncTimeoutError
from durabase.mergeable import MergeableStore
from durabase.synchronizers.protocol.messages import Message, MessageType, check_message
from durabase.synchronizers.protocol.session import (
    MAX_PENDING_REQUESTS,
    Merge,
    MergeSource,
    Outgoing,
    Session,
)
from durabase.testing import FakeClock


def make(unique_id: str, **cells: Any) -> tuple[MergeableStore, Session]:
    clock = FakeClock()
    store = MergeableStore(unique_id, clock=clock)
    for cell_id, thing in cells.items():
        store.set_cell("t", "r", cell_id, thing)
    session = Session(store, clock=clock, request_timeout=1)
    session.follows = session.answers_content_hashes = True
    return store, session


def only(session: Session) -> Outgoing:
    (outgoing,) = session.outgoing()
    return outgoing


def receive(session: Session, from_client: str, request_id: str | None, number: int, body: Any) -> None:
    session.receive(from_client, check_message(request_id, number, body))


def talk(sessions: dict[str, Session]) -> list[tuple[str, str | None, int]]:
    """Carry messages between sessions until all are silent; who sent what to whom."""
    log = []
    is_silent = False
    while not is_silent:
        is_silent = True
        for name, session in sessions.items():
            for outgoing in session.outgoing():
                is_silent = False
                log.append((name, outgoing.to_client, int(outgoing.message.number)))
                for other, receiver in sessions.items():
                    if other != name and outgoing.to_client in (None, other):
                        receiver.receive(name, outgoing.message)
    return log


def merge_all(store: MergeableStore, session: Session) -> list[MergeSource]:
    merges = list(session.merges())
    for merge in merges:
        if merge.changes is not None:
            store._apply_encoded_mergeable_changes(merge.changes)
    return [merge.source for merge in merges]


def test_loading_asks_everybody_and_then_whoever_answers_first() -> None:
    _, a = make("a", x=1)
    store, b = make("b")
    _, c = make("c", y=1)
    b.load()
    assert talk({"b": b, "a": a, "c": c}) == [
        ("b", None, 1),
        ("a", "b", 0),
        ("c", "b", 0),
        ("b", "a", 4),
        ("a", "b", 0),
    ]
    assert merge_all(store, b) == [MergeSource.LOAD]
    assert store.get_tables() == {"t": {"r": {"x": 1}}}
    assert b.next_deadline() is None
    assert list(b.errors()) == []


def test_loading_from_a_peer_that_has_nothing_brings_nothing() -> None:
    _, a = make("a")
    _, b = make("b")
    b.load()
    talk({"a": a, "b": b})
    assert list(b.merges()) == [Merge(MergeSource.LOAD, None, "a")]
    assert list(b.errors()) == []


def test_a_pull_goes_down_to_the_cells_and_the_later_stamps_win() -> None:
    one, a = make("a", x=1, y=1)
    two, b = make("b", x=2)
    two.set_cell("t", "r2", "x", 1)
    one.set_cell("t2", "r", "x", 1)
    one.set_value("v", 1)
    b.broadcast_hashes()
    a.broadcast_hashes()
    log = talk({"a": a, "b": b})
    assert [number for name, to, number in log if name == "a" and to == "b"].count(0) >= 4
    assert {number for _, _, number in log} == {0, 2, 4, 5, 6, 7}
    assert merge_all(one, a) == [MergeSource.PULL]
    assert merge_all(two, b) == [MergeSource.PULL]
    assert one.get_content() == two.get_content()
    assert one.get_mergeable_content_hashes() == two.get_mergeable_content_hashes()


def test_equal_hashes_end_a_pull_without_a_question() -> None:
    _, a = make("a")
    receive(a, "b", "tx", 2, [0, 0])
    assert list(a.outgoing()) == []
    assert list(a.merges()) == [Merge(MergeSource.PULL, [[{}], [{}], 1], "b")]


def test_hashes_may_be_written_with_a_point() -> None:
    store, session = make("A", c=1)
    as_floats = [float(hash_) for hash_ in store.get_mergeable_content_hashes()]
    receive(session, "B", None, MessageType.CONTENT_HASHES, as_floats)
    assert not list(session.outgoing())
    receive(session, "B", None, MessageType.CONTENT_HASHES, [0.0, as_floats[1]])
    assert only(session).message.number is MessageType.GET_TABLE_DIFF


def test_container_times_are_merged_when_levels_are_joined() -> None:
    early, late = "NjEtLV-----7JQY8", "NjEtLV4----7JQY8"
    _, a = make("a", x=1)
    receive(a, "b", "tx", 2, [1, 0])
    request = only(a).message
    assert request.request_id is not None
    assert request.request_id.startswith("tx.")
    receive(a, "b", request.request_id, 0, [[{"new": [{}, early]}, early], {"t": 1}])
    request = only(a).message
    receive(a, "b", request.request_id, 0, [[{"t": [{"r2": [{"c": [1]}, early]}]}, late], {"t": {"r": 1}}])
    request = only(a).message
    receive(
        a, "b", request.request_id, 0, [{"t": [{"r": [{"x": [2]}, late], "r2": [{"d": [3]}]}, early]}, early]
    )
    (merge,) = a.merges()
    assert merge.changes == [
        [
            {
                "new": [{}, early],
                "t": [{"r2": [{"c": [1], "d": [3]}, early], "r": [{"x": [2]}, late]}, early],
            },
            late,
        ],
        [{}],
        1,
    ]


def test_what_is_answered_and_when() -> None:
    _, a = make("a", x=1)
    questions: list[tuple[int, Any]] = [(1, ""), (4, {}), (5, {"t": {}}), (6, {"t": {"r": {}}}), (7, {})]
    for number, body in questions:
        receive(a, "b", "q", number, body)
        outgoing = only(a)
        assert outgoing.to_client == "b"
        assert outgoing.message.request_id == "q"
        assert outgoing.message.number is MessageType.RESPONSE
        check_message("q", 0, outgoing.message.body)
    a.answers_content_hashes = a.follows = False
    receive(a, "b", "q", 1, "")
    receive(a, "b", "q", 2, [1, 1])
    receive(a, "b", "q", 3, [[{}], [{"v": [1]}], 1])
    assert list(a.outgoing()) == []
    assert list(a.merges()) == []
    for number, body in questions[1:]:
        receive(a, "b", None, number, body)
        assert only(a).message.request_id is None


def test_a_diff_is_merged() -> None:
    _, a = make("a")
    changes = [[{}], [{"v": [1]}], 1]
    receive(a, "b", None, 3, changes)
    assert list(a.merges()) == [Merge(MergeSource.DIFF, changes, "b")]


def test_broadcasts() -> None:
    store, a = make("a", x=1)
    a.broadcast_hashes()
    outgoing = only(a)
    assert outgoing.to_client is None
    assert len(outgoing.message.request_id or "") == 11
    assert outgoing.message.body == store.get_mergeable_content_hashes()
    a.broadcast_diff([[{}], [{}], 1])
    assert only(a).message.number is MessageType.CONTENT_DIFF
    assert a.next_deadline() is None


def test_a_pull_without_transaction_id_gets_one() -> None:
    _, a = make("a")
    receive(a, "b", None, 2, [1, 0])
    assert len((only(a).message.request_id or "").partition(".")[0]) == 11


def test_requests_that_are_not_answered() -> None:
    _, a = make("a")
    assert a.next_deadline() is None
    a.load()
    receive(a, "b", "tx", 2, [1, 0])
    first, second = [outgoing.message.request_id for outgoing in a.outgoing()]
    deadline = a.next_deadline()
    assert deadline == 1_700_000_000_000 + 1000
    a.expire(deadline - 1)
    assert list(a.errors()) == []
    a.expire(deadline)
    errors = list(a.errors())
    assert [str(error) for error in errors] == [f"tinybase:3:.{first}.1", f"tinybase:3:b.{second}.4"]
    assert all(isinstance(error, SyncTimeoutError) for error in errors)
    assert list(a.merges()) == [Merge(MergeSource.LOAD, None), Merge(MergeSource.PULL, None, "b")]
    assert a.next_deadline() is None
    receive(a, "b", first, 0, [0, 0])  # too late
    assert list(a.merges()) == []


def test_a_response_from_somebody_else_is_ignored() -> None:
    _, a = make("a")
    receive(a, "b", "tx", 2, [1, 0])
    request_id = only(a).message.request_id
    receive(a, "c", request_id, 0, [[{"t": [{}]}], {}])
    assert list(a.merges()) == []
    receive(a, "b", request_id, 0, [[{}], {}])
    assert len(list(a.merges())) == 1


@pytest.mark.parametrize("body", [[1, 2], [{}], [[{}], {"t": {"r": 1}}]])
def test_a_response_to_something_else_ends_the_pull(body: Any) -> None:
    _, a = make("a")
    receive(a, "b", "tx", 2, [1, 0])
    receive(a, "b", only(a).message.request_id, 0, body)
    (error,) = a.errors()
    assert isinstance(error, SyncMessageError)
    assert list(a.merges()) == [Merge(MergeSource.PULL, None, "b")]


def test_unknown_and_missing_request_ids_of_responses() -> None:
    _, a = make("a")
    a.load()
    receive(a, "b", None, 0, [0, 0])
    receive(a, "b", "x", 0, [0, 0])
    assert list(a.merges()) == []


def test_too_many_pending_requests() -> None:
    _, a = make("a")
    for number in range(MAX_PENDING_REQUESTS + 1):
        receive(a, "b", f"tx{number}", 2, [1, 0])
    assert len(list(a.outgoing())) == MAX_PENDING_REQUESTS
    (error,) = a.errors()
    assert isinstance(error, SyncOverflowError)
    assert str(error) == "tinybase:15:requests"
    assert list(a.merges()) == [Merge(MergeSource.PULL, None, "b")]


def test_the_connection_is_gone() -> None:
    _, a = make("a")
    a.load()
    receive(a, "b", "tx", 2, [1, 0])
    a.fail_pending(SyncClosedError())
    assert [str(error) for error in a.errors()] == ["tinybase:5", "tinybase:5"]
    assert [merge.source for merge in a.merges()] == [MergeSource.LOAD, MergeSource.PULL]
    assert a.next_deadline() is None


def test_a_request_that_cannot_be_sent() -> None:
    _, a = make("a")
    a.load()
    request = only(a).message
    assert not a.fail_request(Message(request.request_id, MessageType.RESPONSE, [0, 0]), OSError())
    assert not a.fail_request(Message(None, MessageType.RESPONSE, [0, 0]), OSError())
    assert a.fail_request(request, OSError("x"))
    assert [str(error) for error in a.errors()] == ["x"]
    assert list(a.merges()) == [Merge(MergeSource.LOAD, None)]


def test_things_of_an_object_member_named_like_a_level_do_not_confuse() -> None:
    """A raw object as a value looks like a row; as the answer to a question for cells it is none."""
    _, a = make("a", x=1)
    receive(a, "b", "tx", 2, [1, 0])
    receive(a, "b", only(a).message.request_id, 0, [[{}], {"t": 1}])
    receive(a, "b", only(a).message.request_id, 0, [[{}], {"t": {"r": 1}}])
    receive(a, "b", only(a).message.request_id, 0, [{"v": [{"a": 1}]}])
    (error,) = a.errors()
    assert isinstance(error, SyncMessageError)
