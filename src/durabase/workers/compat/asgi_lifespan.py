"""The lifespan of an ASGI application around one call of it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any

from durabase.workers.compat.asgi_scope import VERSIONS, Application, Message

__all__ = ["Lifespan"]


class Lifespan:
    """``async with Lifespan(app) as lifespan``: the application is started up; then it is shut down.

    An application that knows no lifespan is left alone.
    """

    def __init__(self, app: Application) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._supported = True

    async def __aenter__(self) -> Lifespan:
        """Start up.

        Raises:
            RuntimeError: the application says that its start-up failed.
        """
        self._task = asyncio.create_task(self._run())
        try:
            await self._ask("startup")
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._supported:
                await self._ask("shutdown")
        finally:
            await self._end()

    async def _end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _ask(self, phase: str) -> None:
        self._incoming.put_nowait({"type": f"lifespan.{phase}"})
        answer = await self._answers.get()
        if answer is None:
            self._supported = False
        elif answer["type"] == f"lifespan.{phase}.failed":
            self._supported = False
            raise RuntimeError(answer.get("message") or f"the application's {phase} failed")

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": VERSIONS, "state": self.state}
        try:
            await self._app(scope, self._incoming.get, self._answers.put)
        except Exception:  # what an application raises that has no lifespan
            self._supported = False
        finally:
            self._answers.put_nowait(None)
