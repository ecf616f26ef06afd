"""Dicts whose keys are attributes, and lists as JavaScript's arrays are."""

from __future__ import annotations

import pytest

from durabase.web.attribute_dict import AttributeDict, JsList, proxied


def test_keys_are_attributes_to_read_and_to_write() -> None:
    value = AttributeDict({"a": 1, 5: "five"})
    value.b = 2
    value["c"] = 3
    assert (value.a, value["b"], value.c) == (1, 2, 3)
    assert value == {"a": 1, 5: "five", "b": 2, "c": 3}
    with pytest.raises(AttributeError, match="there is no 'd' in this dict"):
        _ = value.d
    assert not hasattr(value, "d")


def test_members_of_dicts_go_first() -> None:
    value = AttributeDict({"keys": "mine", "items": 1})
    assert list(value.keys()) == ["keys", "items"]
    assert value["keys"] == "mine"


def test_what_programs_call_on_proxies_of_objects() -> None:
    value = AttributeDict({"a": 1, "b": [2]})
    assert value.to_py(depth=1) is value
    assert value.as_object_map(hereditary=True) is value
    assert (value.object_keys(), value.object_values()) == (["a", "b"], [1, [2]])
    assert value.object_entries() == [["a", 1], ["b", [2]]]


def test_what_programs_call_on_proxies_of_arrays() -> None:
    value = JsList([1, 2])
    assert value.length == 2
    plain = value.to_py(depth=1)
    assert type(plain) is list
    assert plain == value
    assert plain is not value


def test_only_plain_lists_become_such() -> None:
    assert type(proxied([1])) is JsList
    for value in (JsList([1]), (1,), {"a": [1]}, "text", None):
        assert proxied(value) is value
