from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from durabase.web import AbortError
from durabase.workers.compat import js, sdk
from durabase.workers.compat.pyodide_http import pyfetch
from durabase.workers.env import Env, ambient_env
from unit.http_server import served

pytestmark = pytest.mark.feature("S-PY-1")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("location", "/end")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self._answer(404 if self.path == "/missing" else 200, self.path.encode())

    def do_POST(self) -> None:
        self._answer(200, self.rfile.read(int(self.headers["content-length"])).upper())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("x-seen", self.headers.get("x-sent", ""))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None: ...


@pytest.fixture(name="url", scope="module")
def serve_url() -> Any:
    with served(_Handler) as url:
        yield url


def fetched(url: str, **options: Any) -> tuple[int, str, str | None]:
    async def main() -> tuple[int, str, str | None]:
        response = await sdk.fetch(url, **options)
        return response.status, await response.text(), response.headers["x-seen"]

    return asyncio.run(main())


def test_fetch(url: str) -> None:
    assert fetched(f"{url}/a", headers={"x-sent": "1"}) == (200, "/a", "1")
    assert fetched(f"{url}/missing") == (404, "/missing", "")
    assert fetched(f"{url}/", method="POST", body="text") == (200, "TEXT", "")
    assert fetched(sdk.Request(f"{url}/b")) == (200, "/b", "")  # type: ignore[arg-type]


def test_fetch_and_redirects(url: str) -> None:
    assert fetched(f"{url}/redirect") == (200, "/end", "")
    assert fetched(f"{url}/redirect", redirect="manual")[0] == 302
    with pytest.raises(OSError, match="redirects"):
        fetched(f"{url}/redirect", redirect="error")


def test_fetch_tells_whether_it_was_redirected(url: str) -> None:
    async def main() -> list[bool]:
        responses = [await sdk.fetch(f"{url}/redirect"), await sdk.fetch(f"{url}/a#part")]
        return [response.redirected for response in responses]

    assert asyncio.run(main()) == [True, False]


def test_fetch_by_way_of_a_binding_and_with_options_in_one_dict(url: str) -> None:
    async def fetcher(request: Any) -> Any:
        return sdk.Response(f"{request.method} {request.url}")

    async def main() -> list[str]:
        by_binding = await sdk.fetch("http://host/x", method="PUT", fetcher=fetcher)
        by_dict = await js.fetch(js.URL.new(f"{url}/"), {"method": "POST", "body": "a"})
        return [await by_binding.text(), await by_dict.text()]

    assert asyncio.run(main()) == ["PUT http://host/x", "A"]
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        asyncio.run(sdk.fetch(url, {"method": "POST"}))  # type: ignore[call-arg, misc, unused-ignore]


def test_fetch_ends_when_its_signal_is_aborted() -> None:
    async def main() -> list[str]:
        made: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        is_over = False

        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            made.put_nowait(writer)
            if is_over:
                writer.close()

        async with await asyncio.start_server(keep, "127.0.0.1", 0) as silent:
            url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/"
            with pytest.raises(AbortError):
                await sdk.fetch(url, signal=js.AbortSignal.abort())
            controller = js.AbortController.new()
            waiting = asyncio.ensure_future(js.fetch(url, {"signal": controller.signal}))
            waits_for_ever = await made.get()
            controller.abort()
            with pytest.raises(AbortError) as aborted:
                await waiting
            waits_for_ever.close()  # and so does a thread
            assert made.empty(), "the first request was never made"
            with pytest.raises(TimeoutError, match="aborted due to timeout") as late:
                await sdk.fetch(url, signal=js.AbortSignal.timeout(1))
            is_over = True
            while not made.empty():
                made.get_nowait().close()
            return [str(late.value), str(aborted.value)]

    assert asyncio.run(main()) == ["The operation was aborted due to timeout", "The operation was aborted"]


def test_fetch_of_what_is_not_there() -> None:
    with pytest.raises(OSError):
        fetched("http://127.0.0.1:9/")
    with pytest.raises(TypeError, match="cannot load"):
        fetched("ftp://host/file")


def test_handlers_may_be_plain() -> None:
    assert asyncio.run(sdk.handler(lambda x: x)(1)) == 1


def test_what_is_not_supported_says_so() -> None:
    with pytest.raises(NotImplementedError, match="workflows"):
        type("Flow", (sdk.WorkflowEntrypoint,), {})
    with pytest.raises(ImportError, match="cloudflare:sockets"):
        sdk.import_from_javascript("cloudflare:sockets")
    assert sdk.import_from_javascript("cloudflare:workers").DurableObject is sdk.DurableObject


def test_the_env_can_be_patched_by_pairs_too() -> None:
    token = ambient_env.set(Env({"A": 1}))
    try:
        with sdk.patch_env([("A", 2)], B=3):
            assert (sdk.env.A, sdk.env.B) == (2, 3)
    finally:
        ambient_env.reset(token)


def test_forms_files_and_blobs() -> None:
    form = sdk.FormData({"a": "1"})
    form.append("a", "2")
    form.append("file", sdk.Blob("x", "text/plain"), "n.txt")
    assert (form["a"], form.get_all("a"), len(form), "b" in form) == ("1", ["1", "2"], 3, False)
    file = form["file"]
    assert isinstance(file, sdk.File)
    assert (file.name, file.content_type) == ("n.txt", "text/plain")
    form["a"] = "3"
    assert form.get_all("a") == ["3"]
    single, listed = sdk.Blob(sdk.Blob("x", "image/png")), sdk.Blob([sdk.Blob("x", "image/png")])
    assert (single.content_type, listed.content_type) == ("image/png", "")
    assert sdk.Blob("a\r\nb", endings=sdk.BlobEnding.NATIVE).size == 3

    async def main() -> Any:
        response = sdk.Response(form)
        return await response.formData()

    assert asyncio.run(main())["a"] == "3"


def test_what_browsers_say_of_requests() -> None:
    request = sdk.Request("http://host/")
    assert (request.cache, request.keepalive, request.integrity) == (None, False, "")
    assert (request.isHistoryNavigation, request.referrerPolicy) == (False, "")  # type: ignore[attr-defined]


def test_an_env_for_the_length_of_a_call() -> None:
    workers = sdk.import_from_javascript("cloudflare:workers")
    token = ambient_env.set(Env({"A": 1, "B": 1}))
    try:
        assert workers.withEnv({"A": 2}, lambda: (workers.env.A, hasattr(workers.env, "B"))) == (2, False)
        assert workers.env.A == 1

        async def later() -> int:
            await asyncio.sleep(0)
            return int(workers.env.A)

        async def main() -> list[int]:
            return [await workers.withEnv({"A": 3}, later), workers.env.A]

        assert asyncio.run(main()) == [3, 1]
    finally:
        ambient_env.reset(token)


def test_pyfetch(url: str) -> None:
    async def main() -> tuple[int, str]:
        response = await pyfetch(f"{url}/a")
        assert response.js_response is response
        return response.status, await response.string()

    assert asyncio.run(main()) == (200, "/a")
