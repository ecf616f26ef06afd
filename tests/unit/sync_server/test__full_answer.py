"""The answer to a client that has no tables: kept as long as it is right."""

from __future__ import annotations

import pytest

from durabase.mergeable import MergeableStore
from durabase.sync_server._full_answer import FullAnswer, asks_for_everything
from durabase.synchronizers.protocol.messages import Message, MessageType, message_text
from durabase.testing import FakeClock


@pytest.fixture
def store() -> MergeableStore:
    return MergeableStore("s1", clock=FakeClock(1_700_000_000_000)).set_tables({"t": {"r": {"c": "\u2028é"}}})


def question(request_id: str | None = "abc.defg") -> Message:
    return Message(request_id, MessageType.GET_TABLE_DIFF, {})


def plain(store: MergeableStore, request_id: str | None = "abc.defg") -> str:
    return message_text(Message(request_id, MessageType.RESPONSE, store.get_mergeable_table_diff({})))


def test_what_asks_for_everything() -> None:
    assert asks_for_everything(question())
    assert not asks_for_everything(Message("a.b", MessageType.GET_TABLE_DIFF, {"t": 1}))
    assert not asks_for_everything(Message("a.b", MessageType.GET_VALUE_DIFF, {}))


@pytest.mark.parametrize("request_id", ["abc.defg", '"\n', None])
def test_it_is_the_answer_that_a_session_gives(store: MergeableStore, request_id: str | None) -> None:
    full = FullAnswer(store)
    for _ in range(2):
        assert full.text_for(question(request_id)) == plain(store, request_id)


def test_it_is_written_once_while_the_tables_are_the_same(
    store: MergeableStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = FullAnswer(store)
    first = full.text_for(question())
    monkeypatch.setattr(MergeableStore, "get_mergeable_table_diff", lambda *_: [[{}], {}])
    store.set_value("v", 1)
    assert full.text_for(question()) == first
    full.forget()
    assert full.text_for(question()) == '["abc.defg",0,[[{}],{}]]'


def test_it_follows_the_store(store: MergeableStore) -> None:
    full = FullAnswer(store)
    for number in range(3):
        store.set_cell("t", "r", "c", number)
        assert full.text_for(question()) == plain(store)


@pytest.mark.parametrize("max_kept", [40, 80])
def test_what_is_very_long_is_not_kept(
    store: MergeableStore, monkeypatch: pytest.MonkeyPatch, max_kept: int
) -> None:
    full = FullAnswer(store, max_kept)
    text = full.text_for(question())
    assert 40 < len(text) - len('["abc.defg",0,]') < 80
    monkeypatch.setattr(MergeableStore, "get_mergeable_table_diff", lambda *_: [[{}], {}])
    assert (full.text_for(question()) == text) == (max_kept == 80)
