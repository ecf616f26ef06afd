"""Stamps as plain lists and dicts."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import ContentError
from durabase.mergeable._journal import Journal
from durabase.mergeable._merge import content_from
from durabase.mergeable._shapes import as_encoded, as_public, changes_shape, content_shape
from durabase.types import UNDEFINED

H = "NjEtLV-----7JQY8"
CONTENT: list[Any] = [
    [{"t": [{"r": [{"c": ['\ufffd{"a":[1]}', H, 1], "d": [UNDEFINED, "", 2]}, "", 3]}, H, 4]}, "", 5],
    [{"v": [1, H, 6]}, "", 7],
]


def test_content_comes_out_as_it_went_in() -> None:
    assert content_shape(content_from(CONTENT)[0], Journal(), as_encoded) == CONTENT


def test_public_content_is_decoded_and_fresh() -> None:
    stamps = content_from(CONTENT)[0]
    cell = content_shape(stamps, Journal(), as_public)[0][0]["t"][0]["r"][0]["c"]
    assert cell == [{"a": [1]}, H, 1]
    cell[0]["a"].append(2)
    assert content_shape(stamps, Journal(), as_public)[0][0]["t"][0]["r"][0]["c"][0] == {"a": [1]}


def test_raw_objects_are_copied_too() -> None:
    raw = {"a": [1]}
    assert as_public(raw) == raw
    assert as_public(raw)["a"] is not raw["a"]


def test_what_can_not_be_decoded() -> None:
    assert as_encoded("\ufffdx") == "\ufffdx"
    with pytest.raises(ContentError, match="'x', which is no JSON"):
        as_public("\ufffdx")


def test_changes_with_and_without_hashes() -> None:
    stamps = content_from(CONTENT)[0]
    cells: dict[str, Any] = {"t": {"r": {"d": None, "gone": None}, "gone": {}}, "gone": {"r": {}}}
    without = changes_shape(stamps, cells, ["v", "gone"], with_hashes=False, decode=as_encoded)
    assert without == [[{"t": [{"r": [{"d": [UNDEFINED]}]}, H]}], [{"v": [1, H]}], 1]
    with_hashes = changes_shape(stamps, cells, [], with_hashes=True, decode=as_encoded)
    row = [{"d": [UNDEFINED, "", 2]}, "", 3]
    assert with_hashes == [[{"t": [{"r": row}, H, 4]}, "", 5], [{}, "", 7], 1]
