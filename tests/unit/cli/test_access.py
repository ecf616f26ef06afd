"""A line for each request, and what becomes of what the program raises."""

from __future__ import annotations

import asyncio
import io
import re

import pytest

from durabase.cli.access import AccessLog, ErrorPages
from durabase.cli.console import Console
from durabase.web import Request, Response


class Program:
    """Answers with what it is given, or raises it."""

    def __init__(self, answer: Response | BaseException) -> None:
        self._answer = answer

    async def fetch(self, request: Request) -> Response:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer


def logged(answer: Response, url: str = "http://h/", method: str = "GET") -> str:
    out = io.StringIO()
    log = AccessLog(Program(answer).fetch, Console(out, out))
    assert asyncio.run(log.fetch(Request(url, method=method))) is answer
    [line] = out.getvalue().splitlines()
    return re.sub(r"\(\d+ms\)$", "(ms)", line)


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (Response("x"), "200 OK"),
        (Response("x", 404), "404 Not Found"),
        (Response("x", 200, "Fine"), "200 Fine"),
        (Response("x", 299), "299"),
    ],
)
def test_the_line(response: Response, status: str) -> None:
    assert logged(response, "http://h/a%20b", "POST") == f"[wrangler:info] POST /a%20b {status} (ms)"


def test_the_query_is_there_without_what_is_secret() -> None:
    line = logged(Response("x"), "http://h/p?a=1&token=hidden")
    assert line.startswith("[wrangler:info] GET /p?a=1&token=")
    assert "hidden" not in line


def failed(
    error: BaseException, *, show: bool = True, accept: str | None = None
) -> tuple[Response, str, str]:
    err = io.StringIO()
    pages = ErrorPages(Program(error).fetch, Console(err, err), show=show)
    request = Request("http://h/x?<", headers={"accept": accept} if accept else None)

    async def main() -> tuple[Response, str]:
        response = await pages.fetch(request)
        return response, await response.text()

    return *asyncio.run(main()), err.getvalue()


def test_what_is_raised_is_logged_with_its_traceback() -> None:
    response, text, said = failed(KeyError("no"))
    assert response.status == 500
    assert said.startswith("✘ [ERROR] Uncaught KeyError: 'no'\nTraceback (most recent call last):\n")
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("KeyError: 'no'")
    assert response.headers["content-type"] == "text/plain;charset=UTF-8"


def test_the_title_is_one_line() -> None:
    assert failed(ValueError("first\nsecond"))[2].startswith(
        "✘ [ERROR] Uncaught ValueError: first\nTraceback"
    )


def test_browsers_are_shown_a_page() -> None:
    response, text, _ = failed(KeyError("no"), accept="text/html,*/*")
    assert (response.status, response.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert "<p>GET http://h/x?%3C</p>" in text


def test_in_production_nothing_is_shown_and_all_is_logged() -> None:
    response, text, said = failed(KeyError("secret"), show=False, accept="text/html")
    assert (response.status, text) == (500, "Internal Server Error")
    assert "secret" in said


def test_what_is_answered_passes() -> None:
    response = Response("x", 500)
    out = io.StringIO()
    pages = ErrorPages(Program(response).fetch, Console(out, out), show=True)
    assert asyncio.run(pages.fetch(Request("http://h/"))) is response
    assert out.getvalue() == ""


def test_the_end_of_the_task_is_no_error_of_the_program() -> None:
    with pytest.raises(asyncio.CancelledError):
        failed(asyncio.CancelledError())
