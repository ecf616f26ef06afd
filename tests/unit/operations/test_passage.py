"""What was sent and what arrived."""

from __future__ import annotations

import pytest

from durabase.operations.passage import PRETENDED, Arrived, judge_bodies, judge_passage, judge_path

SENT = "https://app.example/room"


def judged(
    proxy: str | None = "nginx", url: str = SENT, is_compressed: bool = True, **headers: str
) -> dict[str, tuple[str, str, str]]:
    offered = {"sec-websocket-extensions": "permessage-deflate", "cf-connecting-ip": "10.0.0.9"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    arrived = Arrived(url, {**offered, **named})
    return {each.name: each[1:] for each in judge_passage(SENT, arrived, proxy, is_compressed)}


@pytest.mark.parametrize(
    ("forwarded", "seen", "level", "said"),
    [
        ("8.8.8.8", "8.8.8.8", "ok", "who asks: 8.8.8.8"),
        (f"{PRETENDED}, 8.8.8.8", "8.8.8.8", "ok", "who asks: 8.8.8.8"),
        # asked from the machine of the proxy, which is trusted, so what it says counts
        (f"{PRETENDED}, 127.0.0.1", PRETENDED, "ok", "who asks: 127.0.0.1"),
        (f"{PRETENDED}, 8.8.8.8", "10.0.0.1", "warn", "the proxy, 10.0.0.1, in place of 8.8.8.8"),
        (PRETENDED, PRETENDED, "fail", "passes X-Forwarded-For on as it came"),
        (PRETENDED, "10.0.0.1", "warn", "nginx does not say who asks"),
        (f"{PRETENDED}, 8.8.8.8", PRETENDED, "fail", "8.8.8.8 is believed as if it were a proxy"),
        (f"{PRETENDED}, unknown", PRETENDED, "fail", "unknown is believed as if it were a proxy"),
        ("", "10.0.0.1", "warn", "does not arrive"),
    ],
)
def test_the_address(forwarded: str, seen: str, level: str, said: str) -> None:
    found, text, remedy = judged(x_forwarded_for=forwarded, cf_connecting_ip=seen)["Address"]
    assert (found, said in text) == (level, True), text
    assert bool(remedy) == (level != "ok")


def test_a_server_without_a_proxy() -> None:
    found = judged(proxy=None, x_forwarded_for=PRETENDED, cf_connecting_ip="8.8.8.8")["Address"]
    assert found == ("ok", "nobody is believed, the server sees 8.8.8.8", "")
    found = judged(proxy=None, x_forwarded_for=PRETENDED, cf_connecting_ip=PRETENDED)["Address"]
    assert found[:2] == ("warn", "this machine is believed as if it were a proxy")


def test_the_scheme() -> None:
    assert judged()["Scheme"] == ("ok", "programs see https", "")
    level, text, remedy = judged(url="http://app.example/room")["Scheme"]
    assert (level, text) == ("warn", "programs see http in place of https")
    assert "X-Forwarded-Proto" in remedy
    level, text, remedy = judged(url="http://app.example/room", x_forwarded_proto="https")["Scheme"]
    assert "not believed" in text
    assert "--trust-proxy 10.0.0.9" in remedy


def test_the_host() -> None:
    assert judged()["Host"] == ("ok", "programs see app.example", "")
    level, text, _ = judged(url="https://upstream:8787/room")["Host"]
    assert (level, text) == ("warn", "programs see upstream:8787 in place of app.example")


def test_compression() -> None:
    assert judged()["Compression"] == ("ok", "messages are compressed", "")
    assert judged(is_compressed=False)["Compression"] == ("ok", "the program wants none", "")
    assert judged(sec_websocket_extensions="")["Compression"][0] == "warn"


def test_paths() -> None:
    assert judge_path("/a%2Fb", "/a%2Fb").level == "ok"
    assert judge_path("/a%2Fb", "/a/b")[1:3] == ("warn", "/a%2Fb arrives as /a/b")


def test_bodies() -> None:
    assert judge_bodies(413, 32 << 20)[1:3] == ("warn", "bodies of 32 MiB are refused")
    assert judge_bodies(100, 32 << 20).level == judge_bodies(None, 1 << 20).level == "ok"
