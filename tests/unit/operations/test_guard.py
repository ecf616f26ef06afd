"""Who may use the admin address."""

from __future__ import annotations

import pytest

from durabase.errors import ConfigError
from durabase.operations.guard import AdminGuard, check_address, is_local
from durabase.web import Request


@pytest.mark.feature("M-SC-1")
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    check_address(host, None)


@pytest.mark.feature("M-SC-1")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.com", "10.0.0.1"])  # noqa: S104
def test_others_need_one(host: str) -> None:
    check_address(host, "secret")
    with pytest.raises(ConfigError, match="DURABASE_ADMIN_TOKEN"):
        check_address(host, None)


@pytest.mark.feature("M-SC-1")
@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        ("http://127.0.0.1:1/", {}, None),
        ("http://localhost/", {}, None),
        ("http://[::1]:1/", {}, None),
        ("http://127.0.0.1:1/", {"origin": "http://127.0.0.1:1", "sec-fetch-site": "same-origin"}, None),
        ("http://127.0.0.1:1/", {"sec-fetch-site": "none"}, None),
        ("http://127.0.0.1:1/", {"origin": "http://127.0.0.1:2"}, 403),
        ("http://127.0.0.1:1/", {"origin": "http://localhost:1"}, 403),
        ("http://127.0.0.1:1/", {"origin": "null"}, 403),
        ("http://127.0.0.1:1/", {"sec-fetch-site": "same-site"}, 403),
        ("http://127.0.0.1:1/", {"sec-fetch-site": "cross-site"}, 403),
        ("http://rebound.example/", {}, 403),
        (
            "http://rebound.example/",
            {"origin": "http://rebound.example", "sec-fetch-site": "same-origin"},
            403,
        ),
    ],
)
def test_without_a_token(url: str, headers: dict[str, str], status: int | None) -> None:
    refusal = AdminGuard(None).refusal(Request(url, headers=headers))
    assert (refusal and refusal.status) == status


@pytest.mark.feature("M-SC-1")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer sécret"}, None),
        ({"authorization": "Bearer other"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({}, 401),
    ],
)
def test_with_a_token(headers: dict[str, str], status: int | None) -> None:
    refusal = AdminGuard("sécret").refusal(Request("http://admin.example/", headers=headers))
    assert (refusal and refusal.status) == status


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"cf-connecting-ip": "127.0.0.1"}, True),
        ({"cf-connecting-ip": "::1"}, True),
        ({"cf-connecting-ip": "10.0.0.1"}, False),
        ({}, False),
        ({"cf-connecting-ip": "127.0.0.1", "x-forwarded-for": "10.0.0.1"}, False),
        ({"cf-connecting-ip": "127.0.0.1", "forwarded": "for=10.0.0.1"}, False),
    ],
)
def test_who_is_on_this_machine(headers: dict[str, str], expected: bool) -> None:
    assert is_local(Request("http://localhost/", headers=headers)) is expected
