"""Which URLs the patterns of routes match, and which of several patterns goes first."""

from __future__ import annotations

import pytest

from durabase.workers.config.routes import parse_route


@pytest.mark.parametrize(
    ("pattern", "scheme", "host", "target", "expected"),
    [
        ("example.com/*", "http", "example.com", "/", True),
        ("example.com/*", "https", "example.com", "/a?b", True),
        ("example.com/*", "http", "www.example.com", "/", False),
        ("*.example.com/*", "http", "www.example.com", "/", True),
        ("*.example.com/*", "http", "example.com", "/", False),
        ("*example.com/*", "http", "example.com", "/", True),
        ("*example.com/*", "http", "myexample.com", "/", True),
        ("*/api/*", "http", "any.example", "/api/x", True),
        ("*/api/*", "http", "any.example", "/other", False),
        ("example.com/a", "http", "example.com", "/a", True),
        ("example.com/a", "http", "example.com", "/a/b", False),
        ("example.com/a", "http", "example.com", "/a?b", False),
        ("example.com/a*", "http", "example.com", "/ab?c", True),
        ("example.com/a*", "http", "example.com", "/A", False),
        ("Example.COM/a", "http", "example.com", "/a", True),
        ("example.com", "http", "example.com", "/", True),
        ("example.com", "http", "example.com", "/a", False),
        ("https://example.com/*", "http", "example.com", "/", False),
        ("https://example.com/*", "https", "example.com", "/", True),
    ],
)
def test_matching(pattern: str, scheme: str, host: str, target: str, expected: bool) -> None:
    assert parse_route(pattern).matches(scheme, host, target) is expected


def test_all_paths_of_a_custom_domain() -> None:
    route = parse_route("shop.example.com", custom_domain=True)
    assert route.matches("https", "shop.example.com", "/any?x")
    assert not route.matches("https", "www.shop.example.com", "/")


def test_the_most_specific_first() -> None:
    patterns = [
        *("*/*", "*.example.com/*", "*.a.example.com/*", "a.example.com/*"),
        *("a.example.com/b*", "a.example.com/b/*", "a.example.com/b/c"),
    ]
    ordered = sorted(map(parse_route, patterns), key=lambda route: route.precedence)
    assert [route.pattern for route in ordered] == [
        *("a.example.com/b/c", "a.example.com/b/*", "a.example.com/b*", "a.example.com/*"),
        *("*.a.example.com/*", "*.example.com/*", "*/*"),
    ]


@pytest.mark.parametrize("pattern", ["", "a.com/*/b", "a.*.com/", "a.com/?x", "ftp://a.com/", "/only/a/path"])
def test_what_is_no_pattern(pattern: str) -> None:
    with pytest.raises(ValueError, match="Route "):
        parse_route(pattern)
