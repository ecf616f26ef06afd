"""Records carry no credentials."""

from __future__ import annotations

import pytest

from durabase.operations.redaction import redacted_headers, redacted_url


def test_headers() -> None:
    headers = [("Authorization", "Bearer x"), ("cookie", "a=b"), ("x-api-key", "x"), ("accept", "*/*")]
    redacted = {"Authorization": "REDACTED", "cookie": "REDACTED", "x-api-key": "REDACTED", "accept": "*/*"}
    assert redacted_headers(headers) == redacted


def test_tokens_in_subprotocols() -> None:
    headers = [("sec-websocket-protocol", "durabase, bearer.abc.def-g, tinybase")]
    redacted = {"sec-websocket-protocol": "durabase, bearer.REDACTED, tinybase"}
    assert redacted_headers(headers) == redacted


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host/a?page=1&design=b", "http://host/a?page=1&design=b"),
        ("http://host/a?access_token=x&page=1", "http://host/a?access_token=REDACTED&page=1"),
        ("http://host/?key=x&sig=y&code=z", "http://host/?key=REDACTED&sig=REDACTED&code=REDACTED"),
        ("http://me:secret@host:1/", "http://host:1/"),
    ],
)
def test_urls(url: str, expected: str) -> None:
    assert redacted_url(url) == expected
