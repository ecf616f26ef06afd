"""JavaScript's plain globals, on Python's own values."""

from __future__ import annotations

import pytest

from durabase.workers.compat.js_values import JSON, Array, Date, JsFunction, Map, Object, Set


def test_dates() -> None:
    assert Date.new(0).toISOString() == "1970-01-01T00:00:00.000Z"
    assert Date.new("2026-01-31T23:59:59.123Z").getTime() == 1769903999123
    assert abs(Date.now() - Date.new().getTime()) < 5000


def test_objects_and_json() -> None:
    assert Object.fromEntries([["a", 1], ("b", 2)]) == {"a": 1, "b": 2}
    assert Object.entries({"a": 1}) == [["a", 1]]
    assert Object.keys({"a": 1}) == ["a"]
    assert Object.values({"a": 1}) == [1]
    assert Object.assign({}, {"a": 1}) == {"a": 1}
    assert JSON.stringify({"a": [1, "é"]}) == '{"a":[1,"é"]}'
    assert JSON.parse('{"a":1}') == {"a": 1}


def test_collections() -> None:
    mapping = Map.new([["a", 1]])
    assert (mapping.set("b", 2).size, mapping.has("a"), mapping.delete("a"), mapping.delete("a")) == (
        2,
        True,
        True,
        False,
    )
    items = Set.new([1])
    items.add(2)
    assert (items.size, items.has(2), items.delete(1), items.delete(1)) == (2, True, True, False)
    assert Array.isArray(Array.new(1, 2))


@pytest.mark.parametrize(
    ("moment", "milliseconds", "text"),
    [
        (0, 0, "1970-01-01T00:00:00.000Z"),
        (1.9, 1, "1970-01-01T00:00:00.001Z"),
        (-1, -1, "1969-12-31T23:59:59.999Z"),
        ("2026-01-31", 1769817600000, "2026-01-31T00:00:00.000Z"),
        ("2026-01-31T12:00:00", 1769860800000, "2026-01-31T12:00:00.000Z"),
        ("2026-01-31T12:00:00+02:00", 1769853600000, "2026-01-31T10:00:00.000Z"),
        ("2026-01-31T23:59:59.123Z", 1769903999123, "2026-01-31T23:59:59.123Z"),
    ],
)
def test_moments(moment: float | str, milliseconds: int, text: str) -> None:
    date = Date(moment)
    assert (date.getTime(), date.toISOString(), str(date)) == (milliseconds, text, text)


def test_every_millisecond_of_a_text_counts() -> None:
    texts = [f"2026-01-31T23:59:59.{number:03}Z" for number in range(1000)]
    assert [Date.new(text).toISOString() for text in texts] == texts


def test_a_text_that_is_no_moment() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Date.new("nonsense")


def test_assigning_changes_the_target() -> None:
    target = {"a": 1, "b": 1}
    assert Object.assign(target, {"b": 2}, {"c": 3}) is target
    assert target == {"a": 1, "b": 2, "c": 3}
    assert Object.new() == {}


def test_text_of_values_may_be_indented() -> None:
    assert JSON.stringify({"a": [1, 2]}, None, 2) == '{\n  "a": [\n    1,\n    2\n  ]\n}'
    assert JSON.stringify([1], None, "-") == "[\n-1\n]"
    assert JSON.stringify({"a": None, "b": True}, None, 0) == '{"a":null,"b":true}'
    assert JSON.stringify([1.0, 1e21, 1e-7, float("nan"), -0.0]) == "[1,1e+21,1e-7,null,0]"
    assert JSON.stringify(Map.new([["a", (1, Map.new([["b", 2]]))]])) == '{"a":[1,{"b":2}]}'
    assert JSON.stringify({"a": {"b": 1, "c": 2}, "b": 3}, ["a", "b"]) == '{"a":{"b":1},"b":3}'
    assert JSON.stringify([1, "x"], lambda key, value: f"{key}{value}" if key else value) == '["01","1x"]'
    with pytest.raises(TypeError):
        JSON.stringify({"a": object()})
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(TypeError, match=r"^Converting circular structure to JSON$"):
        JSON.stringify(circle)
    with pytest.raises(ValueError, match="Expecting value"):
        JSON.parse("nonsense")


def test_arrays() -> None:
    assert Array.new(1, 2) == Array.of(1, 2) == Array.from_(iter([1, 2])) == [1, 2]
    assert not Array.isArray((1, 2))


def test_a_map_gives_itself_back_and_keeps_none() -> None:
    mapping = Map.new()
    assert mapping.set("a", None) is mapping
    assert mapping.delete("a")
    assert not mapping.has("a")


def test_a_function_makes_things_with_and_without_new() -> None:
    make = JsFunction(dict)
    assert make(a=1) == make.new([("a", 1)]) == {"a": 1}
