from __future__ import annotations

from collections.abc import Mapping

import pytest

from durabase.web import Headers


def test_names_ignore_case_and_values_join_except_cookies() -> None:
    headers = Headers([("A", "1"), ("Set-Cookie", "x=1, y"), ("a", 2), ("SET-COOKIE", "z=3")])
    assert headers["A"] == headers.get("a") == "1, 2"
    assert "a" in headers
    assert headers.items() == [("a", "1, 2"), ("set-cookie", "x=1, y"), ("set-cookie", "z=3")]
    assert headers.raw_items()[1] == ("a", "2")
    assert headers.get_all("a") == ["1", "2"]
    assert headers.get_all("b", "none") == "none"
    assert headers.getSetCookie() == ["x=1, y", "z=3"]  # type: ignore[attr-defined]
    assert list(headers) == headers.keys() == ["a", "set-cookie"]
    assert len(headers) == 2
    assert list(headers.entries()) == headers.items()
    assert headers.values() == ["1, 2", "x=1, y", "z=3"]


def test_what_is_missing_is_none() -> None:
    headers = Headers()
    assert headers["missing"] is None
    assert headers.get("missing", "default") == "default"
    assert 5 not in headers
    assert not headers.has("missing")


def test_changes() -> None:
    headers = Headers({"a": "1"})
    copy = Headers(headers)
    headers.set("A", "2")
    headers["b"] = 3
    assert headers.setdefault("b", "4") == "3"
    headers.delete("missing")
    del headers["A"]
    assert headers == Headers({"b": "3"})
    assert copy["a"] == "1"
    assert isinstance(headers, Mapping)
    assert repr(headers) == "Headers([('b', '3')])"


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ä", "a\n", 5])
def test_bad_names(name: str) -> None:
    with pytest.raises(ValueError, match="Invalid header name"):
        Headers([(name, "1")])


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\0b", "a\nb"])
def test_bad_values(value: str) -> None:
    with pytest.raises(ValueError, match="Invalid value of header a"):
        Headers({"a": value})


def test_space_around_values_is_dropped() -> None:
    assert Headers({"a": " \tx\r\n"})["a"] == "x"
