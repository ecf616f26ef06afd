"""The heads of requests and responses."""

from __future__ import annotations

import h11
import pytest

from durabase.server.heads import error_response, head_size, is_bodiless, reason_phrase, response_fields
from durabase.web import Response


def test_the_size_is_that_of_target_names_and_values() -> None:
    head = h11.Request(method="GET", target="/abc", headers=[("Host", "h"), ("X", "12")])
    assert head_size(head) == 4 + 5 + 3


def test_which_statuses_have_no_body() -> None:
    assert [status for status in (200, 204, 205, 206, 301, 304, 404) if is_bodiless(status)] == [
        204,
        205,
        304,
    ]


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_is_told_with_its_traceback_to_those_who_debug_only(debug: bool) -> None:
    try:
        raise ValueError("a secret")
    except ValueError as error:
        response = error_response(error, debug)
    body = (response.body_bytes() or b"").decode()
    assert response.status == 500
    if debug:
        assert body.startswith("Traceback")
        assert body.endswith("ValueError: a secret\n")
    else:
        assert body == "Internal Server Error"


def fields(response: Response, length: int | None) -> list[tuple[str, str]]:
    return [
        (name.decode().lower(), value.decode("latin-1")) for name, value in response_fields(response, length)
    ]


def test_fields_are_those_of_the_response_without_what_frames_it() -> None:
    headers = [
        ("x", "1"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("connection", "close"),
        ("keep-alive", "timeout=5"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "websocket"),
        ("content-length", "99"),
    ]
    found = fields(Response(None, headers=headers), 5)
    assert sorted(found) == [
        ("content-length", "5"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
        ("x", "1"),
    ]


def test_a_length_that_nobody_knows_is_the_one_that_the_program_says_if_it_does() -> None:
    assert fields(Response(None, headers={"content-length": "99"}), None) == [("content-length", "99")]
    assert fields(Response(None), None) == []
    assert fields(Response(None), 0) == [("content-length", "0")]


@pytest.mark.parametrize("status", [204, 304])
def test_where_there_is_no_body_there_is_no_length(status: int) -> None:
    assert fields(Response(None, status), 0) == []


def test_characters_of_latin_1_are_sent_so() -> None:
    assert fields(Response(None, headers={"x": "\xe9"}), None) == [("x", "\xe9")]


@pytest.mark.parametrize(
    ("status", "text"), [(200, "OK"), (404, "Not Found"), (299, "Status"), (599, "Status")]
)
def test_what_is_said_beside_a_status(status: int, text: str) -> None:
    assert reason_phrase(status) == text
