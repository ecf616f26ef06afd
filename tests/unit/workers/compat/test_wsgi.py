from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from durabase.web import Request
from durabase.workers.compat import wsgi


def test_a_request_and_a_streamed_response() -> None:
    closed: list[bool] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            yield b"one "
            yield b""
            yield b"two"

        def close(self) -> None:
            closed.append(True)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        keys = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "HTTP_X_NAME", "workers.env")
        facts = [environ[key] for key in keys]
        assert facts == ["POST", "/a b", "q=1", "2", "value", "env"]
        assert environ["wsgi.input"].read() == b"hi"
        write = start_response("201 Made", [("x-a", "1")])
        write(b"written ")
        return Pieces()

    async def main() -> tuple[int, str, str]:
        request = Request("http://host/a%20b?q=1", method="POST", body="hi", headers={"x-name": "value"})
        response = await wsgi.entrypoint(app)(None, "env").fetch(request)  # type: ignore[arg-type, attr-defined]
        return response.status, response.status_text, await response.text()

    assert asyncio.run(main()) == (201, "Made", "written one two")
    assert closed == [True]


def test_failures() -> None:
    def fails(environ: Any, start_response: Any) -> Any:
        raise ValueError("the reason")

    def silent(environ: Any, start_response: Any) -> Any:
        return []

    with pytest.raises(ValueError, match="the reason"):
        asyncio.run(wsgi.fetch(fails, Request("http://host/"), None))
    with pytest.raises(RuntimeError, match="without a response"):
        asyncio.run(wsgi.fetch(silent, Request("http://host/"), None))
