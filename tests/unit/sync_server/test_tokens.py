"""Tokens: what is issued is accepted, and nothing else is."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from durabase.errors import AccessError, UnauthenticatedError
from durabase.sync_server.access import Access, Level
from durabase.sync_server.tokens import RoomTokens, authorize_by_token, new_key, token_of
from durabase.testing import FakeClock
from durabase.web import Request

NOW_MS = 1_708_981_571_441
NOW = NOW_MS // 1000
OLD, NEW = "o" * 32, "n" * 32
CLAIMS = {"aud": "durabase", "sub": "ann", "paths": ["docs/*"], "level": "write", "exp": NOW + 60}


def tokens(keys: dict[str, str | bytes] | None = None, clock: FakeClock | None = None) -> RoomTokens:
    return RoomTokens(keys or {"new": NEW, "old": OLD}, clock=clock or FakeClock(NOW_MS))


def signed(claims: dict[str, Any], secret: str = NEW, **options: Any) -> str:
    return jwt.encode(claims, secret, headers={"kid": "new"}, **{"algorithm": "HS256", **options})


def part(thing: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(thing).encode()).rstrip(b"=").decode()


def test_a_token_gives_the_access_that_it_was_issued_for() -> None:
    token = tokens().issue("docs/plan", "admin", "ann", expires_in=60, claims={"groups": ["a"]})
    assert tokens().verify(token, "docs/plan") == Access("admin", "ann", {"groups": ["a"]}, NOW + 60)
    anonymous = tokens().issue(["a", "b"], Level.READ, expires_in=1.5)
    assert tokens().verify(anonymous, "b") == Access(
        "read", "", {}, NOW + 1 if NOW_MS % 1000 < 500 else NOW + 2
    )


@pytest.mark.parametrize(
    ("scope", "path_id", "is_covered"),
    [
        ("docs", "docs", True),
        ("docs", "docs/a", False),
        ("docs", "doc", False),
        ("docs/*", "docs/a", True),
        ("docs/*", "docs/a/b", True),
        ("docs/*", "docs/", True),
        ("docs/*", "docs", False),
        ("docs/*", "docsa", False),
        ("docs/*", "other/docs/a", False),
        ("docs/*", "Docs/a", False),
        ("docs/*", "docs%2Fa", False),
        ("docs/*", "docs/../a", False),
        ("docs/*", "docs/a/..", False),
        ("docs/*", "docs/./a", False),
        ("docs/*", "docs/..a", True),
        ("caf%C3%A9", "cafe%CC%81", False),
        ("*", "", True),
        ("*", "anything/at all", True),
        ("", "", True),
        ("", "a", False),
        ("a*", "ab", False),
        ("a*", "a*", True),
    ],
)
def test_paths_and_what_is_below_them(scope: str, path_id: str, is_covered: bool) -> None:
    token = tokens().issue(scope, expires_in=60)
    if is_covered:
        assert tokens().verify(token, path_id).level is Level.WRITE
    else:
        with pytest.raises(AccessError, match="for other rooms") as caught:
            tokens().verify(token, path_id)
        assert caught.value.status == 403


def test_a_token_is_over_when_it_says() -> None:
    token = tokens().issue("*", expires_in=60)
    for seconds, is_over in ((59.5, False), (60, True), (1e6, True)):
        later = tokens(clock=FakeClock(NOW * 1000 + int(seconds * 1000)))
        if is_over:
            with pytest.raises(UnauthenticatedError, match="is over"):
                later.verify(token, "a")
        else:
            later.verify(token, "a")


def test_a_key_is_replaced_in_two_steps() -> None:
    before, between, after = tokens({"old": OLD}), tokens(), tokens({"new": NEW})
    old, new = before.issue("*", expires_in=60), between.issue("*", expires_in=60)
    between.verify(old, "a")
    after.verify(new, "a")
    for verifier, token in ((after, old), (before, new)):
        with pytest.raises(UnauthenticatedError, match="no key that is known"):
            verifier.verify(token, "a")


def test_the_tests_own_token_is_good() -> None:
    assert tokens().verify(signed(CLAIMS), "docs/a") == Access("write", "ann", {}, NOW + 60)


def _without_signature() -> str:
    return f"{part({'alg': 'none', 'kid': 'new', 'typ': 'JWT'})}.{part(CLAIMS)}."


def _with_other_claims() -> str:
    head, _, signature = signed(CLAIMS).split(".")
    return f"{head}.{part({**CLAIMS, 'level': 'admin'})}.{signature}"


FORGED = {
    "nothing": "",
    "no token": "abc",
    "two parts": "a.b",
    "dots": "...",
    "other letters": "\u00e9.\ud800.\u4e2d",
    "a header that is no object": f"{part([1])}.{part(CLAIMS)}.x",
    "a key that is no text": f"{part({'alg': 'HS256', 'kid': ['new']})}.{part(CLAIMS)}.x",
    "claims that are no object": signed(CLAIMS).split(".")[0] + f".{part([1])}.x",
    "signed with another key": signed(CLAIMS, "x" * 32),
    "signed with the key of another name": signed(CLAIMS, OLD),
    "no name of a key": jwt.encode(CLAIMS, NEW, algorithm="HS256"),
    "no signature": _without_signature(),
    "an empty signature": signed(CLAIMS).rpartition(".")[0] + ".",
    "another algorithm": signed(CLAIMS, NEW * 2, algorithm="HS512"),
    "other claims": _with_other_claims(),
    "for something else": signed({**CLAIMS, "aud": "mail"}),
    "for nobody": signed({name: claim for name, claim in CLAIMS.items() if name != "aud"}),
    "for ever": signed({name: claim for name, claim in CLAIMS.items() if name != "exp"}),
    "a time that is none": signed({**CLAIMS, "exp": True}),
    "for later": signed({**CLAIMS, "nbf": NOW + 60}),
    "over": signed({**CLAIMS, "exp": NOW}),
    "no level": signed({**CLAIMS, "level": "root"}),
    "a level that is a number": signed({**CLAIMS, "level": 3}),
    "a path that is no list": signed({**CLAIMS, "paths": "*"}),
    "claims of another form": signed({**CLAIMS, "data": [1]}),
    "too long": signed({**CLAIMS, "data": {"x": "y" * 9000}}),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_nothing_else_is_a_token(token: str) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        tokens().verify(token, "docs/a")
    assert (caught.value.status, caught.value.close_code) == (401, 4401)


def test_paths_that_are_no_text_cover_nothing() -> None:
    with pytest.raises(AccessError, match="other rooms"):
        tokens().verify(signed({**CLAIMS, "paths": [1, None, ["*"]]}), "docs/a")


@pytest.mark.parametrize(
    "request_",
    [
        Request("http://h/a", headers={"authorization": "Bearer T"}),
        Request("http://h/a", headers={"authorization": "bearer  T "}),
        Request("http://h/a?x=1&token=T"),
        Request("http://h/a", headers={"sec-websocket-protocol": "durabase, bearer.T"}),
        Request(
            "http://h/a?token=U", headers={"authorization": "Bearer T", "sec-websocket-protocol": "bearer.U"}
        ),
    ],
)
def test_where_a_token_may_stand(request_: Request) -> None:
    assert token_of(request_) == "T"


def test_other_requests_bear_none() -> None:
    for headers in ({}, {"authorization": "Basic T"}, {"sec-websocket-protocol": "tinybase"}):
        assert token_of(Request("http://h/a?x=token", headers=headers)) is None


def test_the_hook() -> None:
    token = tokens().issue("docs/*", expires_in=60)
    strict, open_ = authorize_by_token(tokens()), authorize_by_token(tokens(), Access("read"))
    with_token, without = Request(f"http://h/docs/a?token={token}"), Request("http://h/docs/a")
    assert strict(with_token, "docs/a") == open_(with_token, "docs/a") == tokens().verify(token, "docs/a")
    assert strict(without, "docs/a") is None
    assert open_(without, "docs/a") == Access("read")
    with pytest.raises(UnauthenticatedError):  # a bad token is no missing one
        open_(Request("http://h/docs/a?token=x"), "docs/a")


def test_keys_as_text() -> None:
    text = f"{new_key('b')}\n{new_key('a')}\n"
    made = RoomTokens.from_text(text).issue("*", expires_in=60)
    assert jwt.get_unverified_header(made)["kid"] == "b"
    RoomTokens.from_text("\n".join(reversed(text.split()))).verify(made, "x")


@pytest.mark.parametrize("text", ["", "abc", ":" + NEW, f"a:{NEW} a:{OLD}", "a:short"])
def test_other_texts_are_no_keys(text: str) -> None:
    with pytest.raises(ValueError, match="key"):
        RoomTokens.from_text(text)


@pytest.mark.parametrize(
    ("paths", "level", "seconds"),
    [([], "read", 1), ("*", "none", 1), ("*", "read", 0), ("*", "root", 1), ("*", "read", float("inf"))],
)
def test_what_no_token_can_be_for(paths: Any, level: str, seconds: float) -> None:
    with pytest.raises(ValueError):
        tokens().issue(paths, level, expires_in=seconds)
