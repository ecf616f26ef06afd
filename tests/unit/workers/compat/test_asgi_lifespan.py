"""The lifespan of an application around one call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durabase.workers.compat.asgi_lifespan import Lifespan


class App:
    """Answers each phase as it is told to, and remembers what it heard; then it stays."""

    def __init__(self, **answers: str) -> None:
        self._answers = {"startup": "complete", "shutdown": "complete"} | answers
        self.heard: list[str] = []
        self.is_over = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "lifespan"
        scope["state"]["made"] = "at startup"
        try:
            while True:
                self.heard.append((await receive())["type"])
                phase = self.heard[-1].removeprefix("lifespan.")
                await send({"type": f"{self.heard[-1]}.{self._answers[phase]}"})
        finally:
            self.is_over = True


def run(use: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await use()

    asyncio.run(main())


def test_it_is_started_up_and_shut_down() -> None:
    async def use() -> None:
        app = App()
        async with Lifespan(app) as lifespan:
            assert app.heard == ["lifespan.startup"]
            assert lifespan.state == {"made": "at startup"}
            assert not app.is_over
        assert app.heard == ["lifespan.startup", "lifespan.shutdown"]
        assert app.is_over

    run(use)


async def knows_none(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


async def returns_at_once(scope: Any, receive: Any, send: Any) -> None: ...


async def fails_later(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    raise KeyError


async def ends_after_startup(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})


@pytest.mark.parametrize("app", [knows_none, returns_at_once, fails_later, ends_after_startup])
def test_applications_that_do_not_play_along_are_left_alone(app: Any) -> None:
    async def use() -> None:
        for _ in range(2):
            async with Lifespan(app):
                pass

    run(use)


def test_a_startup_that_fails_ends_the_application() -> None:
    async def use() -> None:
        app = App(startup="failed")
        with pytest.raises(RuntimeError, match=r"^the application's startup failed$"):
            async with Lifespan(app):
                raise AssertionError
        assert app.is_over

    run(use)


def test_the_application_may_say_why() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async def use() -> None:
        with pytest.raises(RuntimeError, match=r"^no database$"):
            async with Lifespan(app):
                raise AssertionError

    run(use)


def test_a_shutdown_that_fails_ends_it_too() -> None:
    async def use() -> None:
        app = App(shutdown="failed")
        with pytest.raises(RuntimeError, match=r"^the application's shutdown failed$"):
            async with Lifespan(app):
                pass
        assert app.is_over

    run(use)


def test_what_is_raised_within_is_passed_on_after_the_shutdown() -> None:
    async def use() -> None:
        app = App()
        with pytest.raises(KeyError):
            async with Lifespan(app):
                raise KeyError
        assert app.heard[-1] == "lifespan.shutdown"

    run(use)
