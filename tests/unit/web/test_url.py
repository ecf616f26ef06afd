"""URLs in the one spelling that requests carry."""

from __future__ import annotations

import pytest

from durabase.web.url import normalised_url


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("http://EXAMPLE.com", "http://example.com/"),
        ("HTTP://example.com:80/a?b#c", "http://example.com/a?b#c"),
        ("https://example.com:443/", "https://example.com/"),
        ("https://example.com:80/", "https://example.com:80/"),
        ("http://x/a/./b/../c/..", "http://x/a/"),
        ("http://x/a/%2e/b/%2E./c/.%2e", "http://x/a/"),
        ("http://x/a/..b/%2e%2e%2e/...", "http://x/a/..b/%2e%2e%2e/..."),
        ("http://x/a\\b\\..\\c", "http://x/a/c"),
        ("http://x/ä ö?ü=%41", "http://x/%C3%A4%20%C3%B6?%C3%BC=%41"),
        ("http://[::1]:8787/p", "http://[::1]:8787/p"),
        ("http://user:pw@x/", "http://user:pw@x/"),
        ("http://USER:Pw@X/", "http://USER:Pw@x/"),
        ("wss://x:443/", "wss://x/"),
        ("ws://x:80/", "ws://x/"),
        ("http://x/a/b/%2e%2E/c/%2E", "http://x/a/c/"),
        ("ws://x:443/", "ws://x:443/"),
        ("foo://x:80/a\\..\\b", "foo://x:80/a%5C..%5Cb"),
        ("http://x/../../a", "http://x/a"),
        ("http://x/a/.", "http://x/a/"),
        ("http://x/%41%zz/(a)*;=,'[]|^", "http://x/%41%zz/(a)*;=,'[]|^"),
        ("http://x/?a=/../b", "http://x/?a=/../b"),
        ("http://x/?<>#<>#?", "http://x/?%3C%3E#%3C%3E#?"),
        (" http://x/a ", "http://x/a"),
        ("http://x/\ud800?\ud800#\ud800", "http://x/%EF%BF%BD?%EF%BF%BD#%EF%BF%BD"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://%41.example/", "http://a.example/"),
        ("http://x?", "http://x/?"),
        ("http://x/#", "http://x/#"),
        ("http://x/?#", "http://x/?#"),
        ("http://x/'`{}^?'`{}^#'`{}^", "http://x/'%60%7B%7D^?%27`{}^#'%60{}^"),
        ("foo://x/?'", "foo://x/?'"),
    ],
)
def test_urls(given: str, normal: str) -> None:
    assert normalised_url(given) == normal


@pytest.mark.parametrize(
    "url",
    [
        "/hdr",
        "",
        "hdr",
        "http://",
        "http://x:port/",
        "http://[::1",
        "http://ü..x/",
        "mailto:a@b",
        "http://a b/",
        "http://a%20b/",
        "http://a^b/",
    ],
)
def test_what_is_no_absolute_url(url: str) -> None:
    with pytest.raises(TypeError, match="Invalid URL: "):
        normalised_url(url)
