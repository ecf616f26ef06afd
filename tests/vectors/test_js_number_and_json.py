"""Numbers and JSON as text, and the hashes over them, as recorded."""

from __future__ import annotations

import struct

import pytest

from durabase._codec import json_text, parse_json, reading
from durabase.mergeable import MergeableStore, hashes
from durabase.testing import FakeClock
from vectors._load import cases, load, same, untag

_VALUES = cases("js_number_and_json", "values")


def test_text_of_values() -> None:
    for case in _VALUES:
        assert json_text(untag(case["in"])) == case["json"]


def test_values_read_back_as_the_same_doubles() -> None:
    numbers = [case for case in _VALUES if "bits" in case]
    assert numbers
    for case in numbers:
        number = untag(case["in"])
        assert struct.pack(">d", number).hex() == case["bits"] or number != number
        if case["json"] != "null" and number != 0:
            assert struct.pack(">d", parse_json(case["json"])).hex() == case["bits"]


def test_hashes_of_values() -> None:
    for case in _VALUES:
        assert hashes.get_cell_hash(untag(case["in"]), case["hlc"]) == case["hash"], case
        if "stored" in case:
            assert hashes.get_cell_hash(case["stored"], case["hlc"]) == case["storedHash"], case


def test_values_as_cells() -> None:
    for case in _VALUES:
        store = MergeableStore("s1", clock=FakeClock(1700000000000))
        store.set_cell("t", "r", "c", untag(case["in"]))
        assert store.has_cell("t", "r", "c") == case["accepted"], case
        if case["accepted"]:
            assert same(store.get_cell("t", "r", "c"), untag(case["back"])), case
            stamp = store.get_mergeable_content()[0][0]["t"][0]["r"][0]["c"]
            assert stamp[1:] == case["stamp"], case


def test_hashes_of_texts() -> None:
    for case in cases("js_number_and_json", "hashes"):
        assert hashes.get_hash(untag(case["s"])) == case["hash"], case
    for case in cases("js_number_and_json", "idHashes"):
        assert hashes.get_value_in_values_hash(untag(case["id"]), case["hash"]) == case["out"], case


@pytest.mark.parametrize("kind", ["row", "values", "table", "tables"])
def test_composed_hashes(kind: str) -> None:
    compose = getattr(hashes, f"get_{kind}_hash")
    for case in cases("js_number_and_json", "composed"):
        assert compose(untag(case["in"])) == case[f"{kind}Hash"], case


def test_both_parsers_read_all_texts_alike() -> None:
    for case in load("js_number_and_json")["values"]:
        assert repr(reading._parse(case["json"])) == repr(reading._decode(case["json"]))
