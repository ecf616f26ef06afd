"""Run by ``pytest``. The fixture ``durabase`` is the worker, with empty storage for each test."""

import asyncio

import pytest


async def ask(durabase, path, method="GET"):
    response = await durabase.fetch(path, method=method)
    return response.status, await response.json()


async def test_counting(durabase):
    assert await ask(durabase, "/cats") == (200, {"name": "cats", "count": 0})
    assert await ask(durabase, "/cats", "POST") == (200, {"name": "cats", "count": 1})
    assert await ask(durabase, "/cats?by=-3", "POST") == (200, {"name": "cats", "count": -2})
    assert await ask(durabase, "/dogs") == (200, {"name": "dogs", "count": 0})
    await ask(durabase, "/cats", "DELETE")
    assert await ask(durabase, "/cats") == (200, {"name": "cats", "count": 0})


async def test_all_at_once(durabase):
    cats = durabase.env.COUNTER.get_by_name("cats")
    await asyncio.gather(*(cats.add(1) for _ in range(100)))
    assert await cats.value() == 100


async def test_nothing_is_forgotten(durabase):
    await durabase.env.COUNTER.get_by_name("cats").add(5)
    await durabase.crash()
    assert await durabase.env.COUNTER.get_by_name("cats").value() == 5


@pytest.mark.parametrize(
    ("path", "method", "status"), [("/", "GET", 404), ("/cats?by=x", "POST", 400), ("/cats", "PUT", 405)]
)
async def test_what_is_wrong_is_said(durabase, path, method, status):
    assert (await durabase.fetch(path, method=method)).status == status
