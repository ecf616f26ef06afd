from __future__ import annotations

import pytest

from durabase.web import Request, Response
from durabase.web.cors import allow_origin, is_preflight, preflight_answer, shared

ORIGIN = "https://app.example"
ASKS = {
    "origin": ORIGIN,
    "access-control-request-method": "PUT",
    "access-control-request-headers": "if-match,x-key",
}


def request(method: str = "GET", *, is_allowed: bool = True, **headers: str) -> Request:
    asked = Request("http://h/", method=method, headers={n.replace("_", "-"): v for n, v in headers.items()})
    if is_allowed:
        allow_origin(asked)
    return asked


def test_a_page_of_an_allowed_origin_can_read_a_response_and_its_headers() -> None:
    response = shared(request(origin=ORIGIN), Response("x", headers={"etag": '"1"', "vary": "accept"}))
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert "etag" in (response.headers["access-control-expose-headers"] or "")
    assert response.headers["vary"] == "accept, origin"


@pytest.mark.parametrize("asked", [request(), request(origin=ORIGIN, is_allowed=False)])
def test_others_get_what_they_got(asked: Request) -> None:
    assert asked.cf is None
    assert list(shared(asked, Response(None)).headers) == []


def test_what_the_platform_says_beside_is_kept() -> None:
    asked = Request("http://h/", headers={"origin": ORIGIN}, cf={"colo": "here"})
    allow_origin(asked)
    assert asked.cf["colo"] == "here"


def test_a_preflight_is_told_that_it_may() -> None:
    asked = Request("http://h/", method="OPTIONS", headers=ASKS)
    assert not is_preflight(asked)  # nobody has allowed its origin
    allow_origin(asked)
    assert is_preflight(asked)
    answer = preflight_answer(asked)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert "PUT" in (answer.headers["access-control-allow-methods"] or "")
    assert answer.headers["access-control-allow-headers"] == "if-match,x-key"
    assert not is_preflight(request("OPTIONS", origin=ORIGIN))
    assert not is_preflight(request("PUT", origin=ORIGIN, access_control_request_method="PUT"))
