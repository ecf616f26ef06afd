"""The numbers of the workers that URLs lead to."""

from __future__ import annotations

import pytest

from durabase.workers.config.routes import parse_route
from durabase.workers.router import Router


def router(*patterns: list[str]) -> Router:
    return Router([[parse_route(pattern) for pattern in of_worker] for of_worker in patterns])


@pytest.mark.parametrize(
    ("url", "number"),
    [
        ("http://a.example/", 0),
        ("http://a.example/shop/1?x=y", 1),
        ("http://a.example:8787/shop/admin/", 2),
        ("http://a.example/shop", 0),
        ("http://b.example", 2),
        ("http://unknown.example/", 0),
    ],
)
def test_the_most_specific_route(url: str, number: int) -> None:
    routes = router(["a.example/*"], ["a.example/shop/*"], ["a.example/shop/admin/*", "b.example/*"])
    assert routes.worker_for(url) == number


def test_one_worker_gets_everything() -> None:
    assert router(["a.example/*"]).worker_for("http://b.example/") == 0
    assert Router([]).worker_for("http://b.example/") == 0
