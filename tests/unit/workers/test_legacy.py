from __future__ import annotations

from types import ModuleType
from typing import Any

from durabase.workers.legacy import legacy_entrypoint


def module_with(**members: Any) -> ModuleType:
    module = ModuleType("program")
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
