"""Who is told of what has become of changes that were judged."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.sync_server._outcomes import Outcomes
from durabase.sync_server.authority import nothing
from durabase.synchronizers.protocol.session import Merge, MergeSource, Session
from durabase.testing import FakeClock

NOW = 1_700_000_000_000


class Judged:
    """A store of which the outcomes of each transaction are noted."""

    def __init__(self) -> None:
        self.store = MergeableStore("s", clock=FakeClock(NOW + 1000))
        self.session = Session(self.store, clock=FakeClock(NOW))
        self.outcomes = Outcomes(self.store, self.session)
        self.store.add_did_finish_transaction_listener(lambda _: self.outcomes.note())

    def merge(self, **values: Any) -> Any:
        """Changes of a client, which are merged."""
        client = MergeableStore("c", clock=FakeClock(NOW))
        client.set_values(values)
        stamps = client._get_encoded_mergeable_content()[1][0]
        changes: Any = [[{}], [{value_id: stamp[:2] for value_id, stamp in stamps.items()}], 1]
        self.store._apply_encoded_mergeable_changes(changes)
        return changes

    def tell(self, changes: Any, source: MergeSource = MergeSource.DIFF, only_theirs: Any = None) -> bool:
        merge = Merge(source, changes, "A")
        return self.outcomes.tell(changes, merge, nothing() if only_theirs is None else only_theirs)

    def told(self) -> list[tuple[Any, Any, dict[str, Any]]]:
        """To whom, but to whom not, and which values."""
        return [
            (
                outgoing.to_client,
                outgoing.but_not_to,
                {id_: stamp[0] for id_, stamp in outgoing.message.body[1][0].items()},
            )
            for outgoing in self.session.outgoing()
        ]


def test_what_came_as_it_is_now_is_told_to_all_but_the_sender() -> None:
    judged = Judged()
    assert judged.tell(judged.merge(v=1, w=2)) is False
    assert judged.told() == [(None, "A", {"v": 1, "w": 2})]


def test_the_sender_is_told_of_corrections_only() -> None:
    judged = Judged()
    changes = judged.merge(v=1, w=2)
    judged.store.set_value("v", 5)
    judged.tell(changes)
    assert judged.told() == [(None, "A", {"v": 5, "w": 2}), ("A", None, {"v": 5})]


def test_what_only_the_sender_has_is_told_to_it_first() -> None:
    judged = Judged()
    theirs: Any = [[{}], [{"x": [None, "NrbEJxl---0dmwzH"]}], 1]
    judged.tell(judged.merge(v=1), only_theirs=theirs)
    assert judged.told() == [("A", None, {"x": None}), (None, "A", {"v": 1})]


def test_nothing_is_told_of_nothing_and_everything_once() -> None:
    judged = Judged()
    assert judged.tell(nothing()) is False
    assert judged.told() == []
    changes = judged.merge(v=1)
    judged.tell(changes)
    judged.told()
    judged.tell(changes)
    assert (judged.told(), judged.outcomes.tell_everybody()) == ([], 0)


@pytest.mark.parametrize("source", [MergeSource.PULL, MergeSource.LOAD])
def test_of_what_was_pulled_it_is_only_said_that_there_is_any(source: MergeSource) -> None:
    judged = Judged()
    assert judged.tell(judged.merge(v=1), source) is True
    assert judged.tell(nothing(), source) is False
    assert judged.told() == []


def test_several_transactions_are_told_together_with_their_last_stamps() -> None:
    judged = Judged()
    judged.store.set_value("v", 1).set_value("w", 1)
    judged.store.set_value("v", 2)
    judged.store.set_cell("t", "r", "c", 1)
    assert judged.outcomes.tell_everybody() == 3
    assert judged.told() == [(None, None, {"v": 2, "w": 1})]
    assert judged.outcomes.tell_everybody() == 0


def test_what_mutators_have_written_is_told_here_and_not_again() -> None:
    judged = Judged()
    judged.store.add_value_listener("v", lambda store, *_: store.set_value("w", 2), mutator=True)
    judged.tell(judged.merge(v=1))
    assert [values for _, _, values in judged.told()] == [{"v": 1, "w": 2}, {"w": 2}]
    assert not judged.store._had_mutated()
