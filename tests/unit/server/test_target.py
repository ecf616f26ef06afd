"""Request targets to URLs."""

from __future__ import annotations

import pytest

from durabase.server.target import line_of, request_url
from durabase.web import Request

HERE = ("127.0.0.1", 8787)


@pytest.mark.parametrize(
    ("host", "target", "url"),
    [
        ("localhost:8787", "/", "http://localhost:8787/"),
        ("example.org", "/a%20b//c/%70?x=%20&y", "http://example.org/a%20b//c/%70?x=%20&y"),
        ("[::1]:8787", "/x", "http://[::1]:8787/x"),
        ("ignored", "http://other.example/x?y", "http://other.example/x?y"),
        ("example.org", "*", "http://example.org/"),
        (None, "/x", "http://127.0.0.1:8787/x"),
        ("", "/x", "http://127.0.0.1:8787/x"),
    ],
)
def test_urls(host: str | None, target: str, url: str) -> None:
    assert request_url(host, target, HERE) == url


def test_the_servers_own_address_of_version_6() -> None:
    assert request_url(None, "/", ("::1", 8787, 0, 0)) == "http://[::1]:8787/"


@pytest.mark.parametrize(
    ("host", "target"), [("a/b", "/"), ("user@host", "/"), ("a b", "/"), ("host", "host:443")]
)
def test_what_is_none_is_refused(host: str, target: str) -> None:
    with pytest.raises(ValueError, match="Not a"):
        request_url(host, target, HERE)


def test_logs_do_not_tell_the_query() -> None:
    assert line_of(Request("http://h/room?token=secret", method="POST")) == "POST http://h/room"
