from __future__ import annotations

from typing import Any

from durabase.mergeable import MergeableStore
from durabase.testing import FakeClock
from durabase.types import UNDEFINED, Changes

NOW = 1_700_000_000_000


def make() -> MergeableStore:
    return MergeableStore("s", clock=FakeClock(NOW))


def changes_of(store: MergeableStore) -> Any:
    return store._get_encoded_mergeable_content()


def everything(proposed: Changes) -> Changes:
    return proposed


def nothing(proposed: Changes) -> Changes:
    return [{}, {}, 1]


def test_what_is_refused_gets_a_newer_stamp_of_what_is_held() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW + 200_000))
    server.set_cell("t", "r", "a", 1).set_value("v", 1)
    client.set_row("t", "r", {"a": 2, "b": {"x": 1}}).set_values({"v": 2, "w": 3})

    server._merge_judged(changes_of(client), nothing)

    assert server.get_content() == [{"t": {"r": {"a": 1}}}, {"v": 1}]
    client._apply_encoded_mergeable_changes(changes_of(server))
    assert client.get_content() == server.get_content()
    assert client.get_mergeable_content() == server.get_mergeable_content()
    assert server._had_mutated()


def test_what_is_taken_keeps_its_stamps() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW))
    client.set_row("t", "r", {"a": 2, "b": {"x": 1}, "c": None}).set_value("v", True).del_cell("t", "r", "a")
    server._merge_judged(changes_of(client), everything)
    assert server.get_mergeable_content() == client.get_mergeable_content()
    assert not server._had_mutated()


def test_defaults_are_stamped_so_that_they_give_way() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW))
    server.set_tables_schema({"t": {"a": {"type": "number"}, "b": {"type": "number", "default": 7}}})
    client.set_cell("t", "r", "a", 1)
    server._merge_judged(changes_of(client), everything)
    assert server._get_encoded_mergeable_content()[0][0]["t"][0]["r"][0]["b"][:2] == [7, ""]
    client._apply_encoded_mergeable_changes(changes_of(server))
    assert client.get_row("t", "r") == {"a": 1, "b": 7}


def test_a_row_that_goes_with_a_cell_goes_everywhere() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW + 1))
    server.set_tables_schema({"t": {"a": {"type": "number", "default": 1}, "b": {"type": "number"}}})
    server.set_row("t", "r", {"a": 1, "b": 2})
    client._apply_encoded_mergeable_changes(changes_of(server))
    client.del_cell("t", "r", "a")
    server._merge_judged(changes_of(client), everything)
    client._apply_encoded_mergeable_changes(changes_of(server))
    assert client.get_content() == server.get_content() == [{}, {}]
    assert client.get_mergeable_content() == server.get_mergeable_content()


def test_a_deleted_value_with_a_default_has_it_everywhere() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW + 1))
    server.set_values_schema({"v": {"type": "number", "default": 1}}).set_value("v", 2)
    client._apply_encoded_mergeable_changes(changes_of(server))
    client.del_value("v")
    server._merge_judged(changes_of(client), everything)
    client._apply_encoded_mergeable_changes(changes_of(server))
    assert client.get_values() == server.get_values() == {"v": 1}
    assert client.get_mergeable_content_hashes() == server.get_mergeable_content_hashes()


def test_what_raises_leaves_everything_as_it_was() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW + 1))
    server.set_value("v", 1)
    client.set_value("v", 2)
    before = server.get_mergeable_content()

    def fails(proposed: Changes) -> Changes:
        raise LookupError

    try:
        server._merge_judged(changes_of(client), fails)
    except LookupError:
        assert server.get_mergeable_content() == before
    else:
        raise AssertionError


def test_what_is_too_far_ahead_is_answered_to_its_sender_alone() -> None:
    server, client = make(), MergeableStore("c", clock=FakeClock(NOW + 10_000_000))
    server.set_value("v", 1)
    client.set_values({"v": 2, "w": 2})
    hashes = server.get_mergeable_content_hashes()
    changes = client._get_encoded_stamps({}, client.get_value_ids(), with_hashes=False)
    near, ahead = server._judgeable(changes)
    assert near == [[{}], [{}], 1]
    only_theirs = server._held_in_place_of(ahead)
    assert server.get_mergeable_content_hashes() == hashes
    client._apply_encoded_mergeable_changes(only_theirs)
    assert client.get_values() == {"v": 1}
    assert only_theirs[1][0]["w"][0] is UNDEFINED


def test_what_a_stricter_schema_does_not_allow_is_deleted_everywhere_when_asked_for() -> None:
    kept = make()
    kept.set_table("pets", {"fido": {"price": "five", "name": "Fido"}, "rex": {"price": 5, "odd": {"x": 1}}})
    kept.set_values({"open": "yes", "v": 1})
    kept.del_cell("pets", "rex", "odd")
    strict = make()
    strict.set_tables_schema({"pets": {"price": {"type": "number"}, "name": {"type": "string"}}})
    strict.set_values_schema({"open": {"type": "boolean", "default": False}, "v": {"type": "number"}})
    strict.set_mergeable_content(kept.get_mergeable_content())
    before = kept.get_mergeable_content()[0][0]["pets"][0]

    strict._restamp()
    assert strict.get_content() == [
        {"pets": {"fido": {"name": "Fido"}, "rex": {"price": 5}}},
        {"open": False, "v": 1},
    ]
    kept._apply_encoded_mergeable_changes(changes_of(strict))
    assert kept.get_content() == strict.get_content()
    assert kept.get_mergeable_content() == strict.get_mergeable_content()
    after = kept.get_mergeable_content()[0][0]["pets"][0]
    assert after["rex"] == before["rex"]  # nothing was wrong with it
    assert after["fido"][0]["name"] == before["fido"][0]["name"]
    strict._restamp()
    assert strict.get_mergeable_content() == kept.get_mergeable_content()
