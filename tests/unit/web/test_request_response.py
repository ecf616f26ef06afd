from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from http import HTTPMethod
from typing import Any

import pytest

from durabase.web import Blob, File, FormData, Request, Response, WebSocketPair
from durabase.web.url import normalised_url


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


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
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
    ],
)
def test_urls(given: str, normal: str) -> None:
    assert normalised_url(given) == normal
    assert Request(given).url == normal


@pytest.mark.parametrize("url", ["/hdr", "", "hdr", "http://", "http://x:port/", "http://[::1"])
def test_what_is_no_absolute_url(url: str) -> None:
    with pytest.raises(TypeError, match="Invalid URL: "):
        Request(url)


def test_request() -> None:
    async def main() -> None:
        request = Request("https://test.com/", method="post", headers={"X": "1"}, body="hé")
        assert request.method is HTTPMethod.POST
        assert request.method == "POST"
        assert repr(request) == "Request(method='POST', url='https://test.com/')"
        assert request.headers.items() == [("x", "1"), ("content-type", "text/plain;charset=UTF-8")]
        assert request.js_object is request
        copy = request.clone()
        assert await request.text() == "hé"
        assert request.bodyUsed  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="Body already used"):
            await request.json()
        with pytest.raises(OSError, match="Body already used"):
            request.clone()
        assert await copy.buffer() == "hé".encode()

    asyncio.run(main())


def test_a_request_made_of_another_takes_its_body_over() -> None:
    async def main() -> None:
        first = Request("http://x/", method="PUT", headers={"a": "1"}, body=b"body", cf={"colo": "X"})
        second = Request(first, headers={"b": "2"})
        assert first.body_used
        assert (second.method, second.headers.items(), second.cf) == ("PUT", [("b", "2")], {"colo": "X"})
        assert await second.bytes() == b"body"

    asyncio.run(main())


def test_a_get_has_no_body() -> None:
    assert Request("http://x/").body is None
    assert Request("http://x/").body_bytes() == b""
    with pytest.raises(TypeError, match="cannot have a body"):
        Request("http://x/", body="b")


def test_streams() -> None:
    async def main() -> None:
        request = Request("http://x/", method="POST", body=chunks(b"a", b"b"))
        assert request.body_bytes() is None
        copy = request.clone()
        assert await request.bytes() == b"ab"
        assert copy.body is not None
        assert [chunk async for chunk in copy.body] == [b"a", b"b"]
        response = Response(chunks(b'{"a":', b"1}"))
        assert await response.json() == {"a": 1}
        assert await Response(Response("moved")).text() == "moved"

    asyncio.run(main())


def test_response_defaults() -> None:
    response = Response("text")
    assert (response.status, response.status_text, response.ok) == (200, "", True)
    assert response.headers.items() == [("content-type", "text/plain;charset=UTF-8")]
    assert response.body_bytes() == b"text"
    assert Response(b"bytes").headers.items() == []
    assert Response("x", headers={"Content-Type": "text/html"}).headers["content-type"] == "text/html"
    assert Response(None, status=204).body is None
    assert Response().body_bytes() == b""
    assert repr(Response('{"a":1}', headers=[("content-type", "application/json")], status_text="OK")) == (
        "Response(status=200, status_text='OK', content_type='application/json')"
    )


def test_json_makes_a_response_on_the_class_and_reads_one_on_an_instance() -> None:
    response = Response.json({"a": [1, None]}, status=201)
    assert isinstance(response, Response)
    assert response.headers["content-type"] == "application/json"
    assert response.status == 201
    assert asyncio.run(response.clone().json(parse_int=float)) == {"a": [1.0, None]}
    assert response.body_bytes() == json.dumps({"a": [1, None]}).encode()
    assert Response.from_json(1, headers={"content-type": "x/y"}).headers["content-type"] == "x/y"


def test_redirect() -> None:
    response = Response.redirect("http://x/a b", 307)
    assert (response.status, response.headers["location"]) == (307, "http://x/a%20b")
    with pytest.raises(ValueError, match="200 is not a redirect status code"):
        Response.redirect("http://x/", 200)


@pytest.mark.parametrize("status", [0, 99, 101, 199, 600])
def test_impossible_statuses(status: int) -> None:
    with pytest.raises(ValueError, match="200 to 599"):
        Response(None, status)


class Event:
    def __await__(self) -> Iterator[None]:
        yield


def test_impossible_bodies() -> None:
    with pytest.raises(TypeError, match="Unsupported type in Response: dict") as caught:
        Response({"a": 1})  # type: ignore[arg-type]
    assert "Response.json" in caught.value.__notes__[0]
    with pytest.raises(TypeError, match="Unsupported type in Response: Event") as caught:
        Response(Event())  # type: ignore[arg-type]
    assert caught.value.__notes__ == ["It has to be awaited first."]
    with pytest.raises(TypeError, match=r"null body status .* cannot have a body"):
        Response("x", 204)


def test_a_response_with_a_socket() -> None:
    client, _ = WebSocketPair()
    response = Response(None, web_socket=client)
    assert response.status == 101
    assert response.webSocket is client  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="has the status 101, not 200"):
        Response(None, status=200, web_socket=client)
    with pytest.raises(TypeError, match="Cannot clone"):
        response.clone()


def test_raise_for_status() -> None:
    Response("fine").raise_for_status()
    with pytest.raises(OSError, match="404 Client Error: Not Found"):
        Response("", 404).raise_for_status()
    with pytest.raises(OSError, match="599 Server Error"):
        Response("", 599).raise_for_status()
    assert Response("a", 404, headers={"x": "1"}).replace_body("b").headers["x"] == "1"


def test_forms() -> None:
    async def main() -> None:
        form = FormData({"a": "1\n2", "n": 5})
        form.append("a", "3")
        form.append("f", Blob([b"by", "tes"], "x/y"), 'na"me.txt')
        assert form["a"] == "1\n2"
        assert form.get_all("a") == ["1\n2", "3"]
        assert len(form) == 4
        response = Response(form)
        assert str(response.headers["content-type"]).startswith("multipart/form-data; boundary=")
        read = await response.form_data()
        assert read.items()[:3] == [("a", "1\r\n2"), ("n", "5"), ("a", "3")]
        file = read["f"]
        assert isinstance(file, File)
        assert (file.name, file.content_type, await file.bytes()) == ('na"me.txt', "x/y", b"bytes")
        encoded = Request(
            "http://x/",
            method="POST",
            headers={"content-type": "application/x-www-form-urlencoded"},
            body="a=1&b=%C3%A4+&a=",
        )
        assert (await encoded.formData()).items() == [("a", "1"), ("b", "ä "), ("a", "")]  # type: ignore[attr-defined]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1", "text/plain"),
        (b"a=1", ""),
        (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
        (b"--b\r\nno blank line\r\n--b--", "multipart/form-data; boundary=b"),
        (b"--b\r\n\r\nno name\r\n--b--", "multipart/form-data; boundary=b"),
    ],
)
def test_what_is_no_form(body: bytes, content_type: str) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match=r"form|multipart"):
            await Response(body, headers={"content-type": content_type}).form_data()

    asyncio.run(main())


def test_form_changes() -> None:
    form = FormData([("a", "1"), ("a", "2"), ("b", "3")])
    form["a"] = 4
    assert form.items() == [("b", "3"), ("a", "4")]
    del form["b"]
    assert list(form) == form.keys() == ["a"]
    assert form.get("b", "none") == "none"
    assert form.values() == ["4"]
    assert form.has("a")
    for missing in (form.__getitem__, form.__delitem__):
        with pytest.raises(KeyError):
            missing("b")


def test_blobs() -> None:
    async def main() -> None:
        blob = Blob(["a\r\nb", b"c"], "text/plain", endings="native")
        assert (blob.size, await blob.text(), blob.contentType) == (4, "a\nbc", "text/plain")  # type: ignore[attr-defined]
        assert Blob(blob).content_type == "text/plain"
        assert Blob([blob]).content_type == ""
        assert await blob.slice(-2, content_type="x").text() == "bc"
        assert (await Response("x").blob()).type == "text/plain;charset=UTF-8"
        with pytest.raises(TypeError, match="Unsupported type in Blob: int"):
            Blob([5])  # type: ignore[list-item]

    asyncio.run(main())


def test_response_is_awaited_like_the_sdk_s() -> None:
    async def main() -> Any:
        return await Response("text").string()

    assert asyncio.run(main()) == "text"
