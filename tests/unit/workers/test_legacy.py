from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import pytest

from durabase.testing import WorkerHarness
from durabase.workers.legacy import legacy_entrypoint
from unit.workers.programs import write_program

pytestmark = pytest.mark.feature("S-PY-2")

T = TypeVar("T")


def module_with(**members: Any) -> ModuleType:
    module = ModuleType("program")
    module.__file__ = "/somewhere/program.py"
    vars(module).update(members)
    return module


def test_functions_become_methods_with_fitted_arguments() -> None:
    module = module_with(
        on_fetch=lambda request, env: ("fetch", request, env), on_scheduled=lambda *all: ("scheduled", *all)
    )
    default = legacy_entrypoint(module)
    assert default is not None
    entrypoint: Any = default("ctx", "env")  # type: ignore[arg-type]
    assert entrypoint.fetch("request") == ("fetch", "request", "env")
    assert entrypoint.scheduled("controller") == ("scheduled", "controller", "env", "ctx")


def test_a_module_without_handlers() -> None:
    assert legacy_entrypoint(module_with(on_fetch=None)) is None


def test_a_handler_that_is_missing_is_named() -> None:
    default = legacy_entrypoint(module_with(on_scheduled=lambda: None))
    assert default is not None
    entrypoint: Any = default("ctx", "env")  # type: ignore[arg-type]
    with pytest.raises(TypeError) as caught:
        entrypoint.fetch("request")
    assert str(caught.value) == 'Python entrypoint "program.py" does not export a handler named "on_fetch"'


def used(tmp_path: Path, program: str, use: Callable[[WorkerHarness], Awaitable[T]]) -> T:
    worker = WorkerHarness(write_program(tmp_path, program))
    return worker.run(lambda: asyncio.wait_for(use(worker), 30))


def test_a_program_of_functions(tmp_path: Path) -> None:
    program = """
        from workers import Response, handler

        ran = []

        @handler
        async def on_fetch(request, env):
            return Response(f"{request.method} {ran}")

        async def on_scheduled(controller, env, ctx):
            ran.append(controller.cron)
    """

    async def use(worker: WorkerHarness) -> str:
        await worker.scheduled("0 1 * * *")
        return await (await worker.fetch("/", method="PUT")).text()

    assert used(tmp_path, program, use) == "PUT ['0 1 * * *']"
