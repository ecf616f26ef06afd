"""Times of edits for people."""

from __future__ import annotations

from durabase.inspector.stamps import decoded, shown_thing, things_in_tables, things_in_values
from durabase.mergeable.hlc import HybridClock
from durabase.types import UNDEFINED

HLC = HybridClock().encode(1_700_000_000_123, 7, "someone")


def test_what_a_time_is_made_of() -> None:
    assert decoded(HLC) == {"time": 1_700_000_000_123, "counter": 7, "client": HLC[-5:], "hlc": HLC}
    assert decoded("") is None


def test_things() -> None:
    assert shown_thing(None) == {"value": None}
    assert shown_thing("<b>") == {"value": "<b>"}
    assert shown_thing(UNDEFINED) == {"deleted": True}
    assert shown_thing('\ufffd{"a":1}') == {"json": '{"a":1}'}


def test_stamps_without_a_time() -> None:
    assert [*things_in_values([{"v": [1]}])] == [{"value_id": "v", "value": 1, "stamp": None}]
    (cell,) = things_in_tables([{"t": [{"r": [{"c": [UNDEFINED, HLC]}]}]}])
    assert cell == {"table": "t", "row": "r", "cell": "c", "deleted": True, "stamp": decoded(HLC)}
