"""Who gets the page, and what is asked for below it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.inspector.site import InspectorSite
from durabase.web import Request, Response

LOCAL = {"cf-connecting-ip": "127.0.0.1"}


async def admin(request: Request) -> Response:
    return Response(f"{request.method} {request.url} {await request.text()}")


async def others(request: Request) -> Response:
    return Response("others")


def ask(path: str, *, local_only: bool = True, **options: Any) -> tuple[Response, str]:
    async def main() -> tuple[Response, str]:
        request = Request(f"http://localhost:1{path}", **options)
        response = await InspectorSite(admin, others, local_only=local_only).fetch(request)
        return response, await response.text()

    return asyncio.run(main())


@pytest.mark.parametrize("path", ["/", "/x/_durabase/", "/_durabasex", "/api/objects"])
def test_all_else_is_others_business(path: str) -> None:
    response, text = ask(path, headers=LOCAL)
    assert text == "others"
    assert "content-security-policy" not in response.headers


@pytest.mark.parametrize("path", ["/_durabase/", "/_durabase/inspector.js", "/_durabase/style.css"])
def test_the_page_and_its_files_allow_no_foreign_code(path: str) -> None:
    response, _ = ask(path, headers=LOCAL)
    assert response.status == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy
    assert response.headers["x-frame-options"] == "DENY"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_has_nothing_inline() -> None:
    _, text = ask("/_durabase/", headers=LOCAL)
    assert text.count("<script") == text.count('<script type="module" src=') == 1
    assert "style=" not in text
    assert "<style" not in text


def test_paths() -> None:
    response, _ = ask("/_durabase", headers=LOCAL)
    assert (response.status, response.headers["location"]) == (308, "/_durabase/")
    assert ask("/_durabase/nothing.js", headers=LOCAL)[0].status == 404
    assert ask("/_durabase/../site.py", headers=LOCAL)[1] == "others"
    assert ask("/_durabase/%2e%2e/site.py", headers=LOCAL)[1] != "site"
    assert ask("/_durabase/", method="POST", headers=LOCAL)[0].status == 405


def test_operations_are_below() -> None:
    response, text = ask("/_durabase/api/object/sql?class=A%2FB", method="POST", body="SQL", headers=LOCAL)
    assert text == "POST http://localhost:1/object/sql?class=A%2FB SQL"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "headers", [{"cf-connecting-ip": "10.0.0.1"}, {}, LOCAL | {"x-forwarded-for": "1.1.1.1"}]
)
@pytest.mark.parametrize("path", ["/_durabase/", "/_durabase/api/objects"])
def test_other_machines(path: str, headers: dict[str, str]) -> None:
    assert ask(path, headers=headers)[0].status == 403
    assert ask(path, headers=headers, local_only=False)[0].status == 200
