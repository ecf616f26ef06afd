"""URLs that can be read part by part, and be changed."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.workers.compat.js_url import URL


def test_urls() -> None:
    url = URL.new("/p?a=1&a=2#h", "http://host:81/x")
    assert (url.origin, url.pathname, url.search, url.hash) == ("http://host:81", "/p", "?a=1&a=2", "#h")
    assert url.searchParams.getAll("a") == ["1", "2"]
    assert (url.searchParams.get("b"), url.searchParams.has("a")) == (None, True)
    with pytest.raises(TypeError, match="Invalid URL string"):
        URL.new("relative")


def test_urls_can_be_changed() -> None:
    url = URL.new("http://host/a?x=1#h")
    url.searchParams.append("y", "ä b")
    assert url.href == "http://host/a?x=1&y=%C3%A4+b#h"
    url.search = "?z=1"
    assert url.searchParams.get("z") == "1"
    url.searchParams.delete("z")
    url.hash, url.pathname, url.protocol = "", "b c?", "https:"
    assert str(url) == "https://host/b%20c%3F"
    url.host = "other:444"
    url.port = 443
    assert (url.href, url.port) == ("https://other/b%20c%3F", "")
    url.hostname = "third"
    assert url.toJSON() == "https://third/b%20c%3F"
    url.href = "http://fourth/?q=2"
    assert url.searchParams.get("q") == "2"
    with pytest.raises(TypeError, match="Invalid URL"):
        url.href = "nonsense"
    assert URL.parse("nonsense") is None


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://host", ("http:", "host", "", "host", "http://host", "/", "", "")),
        ("https://h:443/?", ("https:", "h", "", "h", "https://h", "/", "", "")),
        ("ws://h:8080/p?q#f", ("ws:", "h", "8080", "h:8080", "ws://h:8080", "/p", "?q", "#f")),
        ("http://[::1]:81/", ("http:", "[::1]", "81", "[::1]:81", "http://[::1]:81", "/", "", "")),
        ("foo://h:1/x", ("foo:", "h", "1", "h:1", "null", "/x", "", "")),
    ],
)
def test_parts(url: str, parts: tuple[str, ...]) -> None:
    made = URL(url)
    assert (
        *(made.protocol, made.hostname, made.port, made.host),
        *(made.origin, made.pathname, made.search, made.hash),
    ) == parts


def test_credentials() -> None:
    url = URL("http://me:secret@host/")
    assert (url.username, url.password, url.origin) == ("me", "secret", "http://host")
    url.port = 81
    url.hostname = "other"
    assert url.href == "http://me:secret@other:81/"
    assert (URL("http://host/").username, URL("http://host/").password) == ("", "")


@pytest.mark.parametrize(
    ("url", "base", "whole"),
    [
        ("b", "http://h/x/a", "http://h/x/b"),
        ("/b?c", "http://h/x/a?d", "http://h/b?c"),
        ("?c", "http://h/x/a?d", "http://h/x/a?c"),
        ("//other/b", "https://h/x", "https://other/b"),
        ("http://other/b", "https://h/x", "http://other/b"),
        (URL("http://h/b"), None, "http://h/b"),
    ],
)
def test_a_base(url: object, base: str | None, whole: str) -> None:
    assert URL(url, base).href == str(URL.new(url, base)) == whole


@pytest.mark.parametrize(("url", "base"), [("nonsense", None), ("/a", "nonsense"), ("http://[", "http://h/")])
def test_what_is_none(url: str, base: str | None) -> None:
    with pytest.raises(TypeError, match=r"^Invalid URL string\.$"):
        URL(url, base)
    assert URL.parse(url, base) is None
    assert not URL.canParse(url, base)
    assert URL.canParse("http://h/")


def test_marks_of_other_parts_are_escaped_in_what_is_set() -> None:
    url: Any = URL("http://h/")
    url.pathname = "/a?b#c"
    url.search = "d#e"
    url.hash = "#f#"
    assert url.href == "http://h/a%3Fb%23c?d%23e#f#"
    url.search = ""
    assert (url.search, url.searchParams.size) == ("", 0)


def test_it_is_its_own_text() -> None:
    url = URL("http://h/a")
    assert str(url) == url.toString() == url.toJSON() == "http://h/a"
    assert repr(url) == "URL('http://h/a')"
