"""Requests, responses, blobs and the console, with options as JavaScript passes them."""

from __future__ import annotations

import asyncio

import pytest

from durabase.web import Response, WebSocketPair
from durabase.workers.compat.js_web import (
    Console,
    RequestFunction,
    ResponseFunction,
    js_blob,
    js_fetch,
    js_file,
    navigator,
    performance,
)


def test_responses_take_javascripts_options() -> None:
    client, _ = WebSocketPair.new()
    upgrade = ResponseFunction().new(None, {"status": 101}, webSocket=client)
    assert isinstance(upgrade, Response)
    assert upgrade.web_socket is client
    assert ResponseFunction.json({"a": 1}).headers["content-type"] == "application/json"
    assert RequestFunction().new("http://x/", {"method": "POST"}).method == "POST"


def test_blobs_and_files_take_javascripts_options() -> None:
    made = js_file(["a", b"b"], "n.txt", {"type": "text/plain", "lastModified": 5})
    assert (made.name, made.type, made.lastModified, made.size) == ("n.txt", "text/plain", 5, 2)
    assert js_file(["a"], "n.txt").last_modified > 1_700_000_000_000
    assert js_blob(["a"], type="image/png").content_type == "image/png"


def test_console(capsys: pytest.CaptureFixture[str]) -> None:
    Console.log("a", 1)
    Console.warn("b")
    Console.error("c")
    assert capsys.readouterr() == ("a 1\n", "▲ [WARNING] b\n✘ [ERROR] c\n")


def test_options_by_keyword_go_before_those_in_a_dict() -> None:
    make = ResponseFunction()
    response = make("a", {"status": 500, "statusText": "Oh"}, status=404, headers={"x": "1"})
    assert (response.status, response.status_text, response.headers["x"]) == (404, "Oh", "1")
    assert make("a").status == 200
    assert ResponseFunction.redirect("http://x/", 307).status == 307
    assert RequestFunction()("http://x/", {"method": "PUT"}, method="POST").method == "POST"
    assert js_blob(["a"], {"type": "x/y"}, type="t/u").type == "t/u"
    assert js_file("a\r\n", "n", type="x/y", endings="native", lastModified=7).last_modified == 7
    assert js_blob("a\r\n", {"endings": "native"}).size == 2


def test_a_request_is_made_of_an_address_or_of_another() -> None:
    class Address:
        def __str__(self) -> str:
            return "http://x/"

    first = RequestFunction()(Address(), {"method": "POST", "body": "b"})
    second = RequestFunction()(first, {"method": "PUT"})
    assert (second.url, second.method, second.body_bytes()) == ("http://x/", "PUT", b"b")


def test_other_names_of_the_console(capsys: pytest.CaptureFixture[str]) -> None:
    for say in (Console.info, Console.debug, Console.trace, Console.dir, Console.table):
        say("a")
    Console.log()
    assert capsys.readouterr() == ("a\n" * 5 + "\n", "")


def test_what_can_not_be_fetched() -> None:
    with pytest.raises(OSError):
        asyncio.run(js_fetch("http://127.0.0.1:1/", {"method": "POST"}, body="b"))


def test_the_platform() -> None:
    assert navigator.userAgent == "Cloudflare-Workers"
    assert performance.timeOrigin == 0
    assert performance.now() > 1_700_000_000_000
