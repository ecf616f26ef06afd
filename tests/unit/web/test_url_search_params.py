"""The pairs of a query: read, changed in order, and written as the URL standard writes them."""

from __future__ import annotations

import pytest

from durabase.web.url_search_params import URLSearchParams


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("", []),
        ("?", []),
        ("?a=1&b=2", [("a", "1"), ("b", "2")]),
        ("??a=1", [("?a", "1")]),
        ("a=1&a=2", [("a", "1"), ("a", "2")]),
        ("a&=b&&c=&=", [("a", ""), ("", "b"), ("c", ""), ("", "")]),
        ("a=b=c;d", [("a", "b=c;d")]),
        ("a+b=%2B+%20", [("a b", "+  ")]),
        ("%C3%A4=%ff%zz", [("ä", "\ufffd%zz")]),
    ],
)
def test_what_a_query_holds(query: str, pairs: list[tuple[str, str]]) -> None:
    assert URLSearchParams(query).entries() == pairs


def test_what_it_is_made_of() -> None:
    pairs = [("a", "1"), ("b", "true"), ("c", "false"), ("d", "null")]
    assert URLSearchParams({"a": 1, "b": True, "c": False, "d": None}).entries() == pairs
    assert URLSearchParams.new([["a", 1], ("b", True), "xy"]).entries() == [*pairs[:2], ("x", "y")]
    first = URLSearchParams("a=1")
    copy = URLSearchParams(first)
    first.append("b", 2)
    assert copy.entries() == [("a", "1")]


def test_reading() -> None:
    params = URLSearchParams("a=1&b=2&a=3&c=")
    assert (params.get("a"), params.get("c"), params.get("d")) == ("1", "", None)
    assert (params.getAll("a"), params.getAll("d")) == (["1", "3"], [])
    assert [params.has(*asked) for asked in (("a",), ("d",), ("a", 3), ("a", "2"), ("b", "3"))] == [
        *(True, False),
        *(True, False, False),
    ]
    assert params.size == len(params) == 4
    assert params.keys() == ["a", "b", "a", "c"]
    assert params.values() == ["1", "2", "3", ""]
    assert list(params) == params.entries() == [("a", "1"), ("b", "2"), ("a", "3"), ("c", "")]
    seen: list[tuple[str, str]] = []
    params.forEach(lambda value, name: seen.append((value, name)))
    assert seen[:2] == [("1", "a"), ("2", "b")]


def test_what_is_listed_is_a_copy() -> None:
    params = URLSearchParams("a=1")
    params.entries().clear()
    assert str(params) == "a=1"


def test_changes_keep_the_order() -> None:
    params = URLSearchParams("a=1&b=2&a=3&b=4")
    params.set("b", False)
    assert str(params) == "a=1&b=false&a=3"
    params.set("c", None)
    params.append("a", 5)
    assert str(params) == "a=1&b=false&a=3&c=null&a=5"
    params.delete("a", 3)
    params.delete("b", "other")
    assert str(params) == "a=1&b=false&c=null&a=5"
    params.delete("a")
    assert params.toString() == "b=false&c=null"


def test_sorting_is_by_utf_16_units_and_keeps_the_order_of_one_name() -> None:
    params = URLSearchParams([("\uffff", "1"), ("b", "2"), ("\U0001f600", "3"), ("a", "4"), ("b", "1")])
    params.sort()
    assert params.entries() == [("a", "4"), ("b", "2"), ("b", "1"), ("\U0001f600", "3"), ("\uffff", "1")]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a b+c", "a+b%2Bc"),
        ("*-._", "*-._"),
        ("~'()!/", "%7E%27%28%29%21%2F"),
        ("&=?#%", "%26%3D%3F%23%25"),
        ("ä😀", "%C3%A4%F0%9F%98%80"),
        ("\ud800", "%EF%BF%BD"),
    ],
)
def test_writing(text: str, written: str) -> None:
    assert str(URLSearchParams([(text, text)])) == f"{written}={written}"


def test_the_url_is_told_of_changes_after_they_were_made() -> None:
    told: list[str] = []
    params = URLSearchParams.of("a=1&b=2", lambda: told.append(str(params)))
    params.append("c", 3)
    params.set("a", 0)
    params.delete("b")
    params.sort()
    assert told == ["a=1&b=2&c=3", "a=0&b=2&c=3", "a=0&c=3", "a=0&c=3"]
    params.reread("?x=1")
    assert params.entries() == [("x", "1")]
    assert len(told) == 4
