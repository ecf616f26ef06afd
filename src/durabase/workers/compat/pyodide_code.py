"""The module ``pyodide.code``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from durabase.durable_objects.handlers import fitting_arguments

__all__ = ["relaxed_call", "run_js"]


def relaxed_call(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call ``function`` with as many of the arguments as it takes."""
    return function(*arguments[: fitting_arguments(function)], **named)


def run_js(code: str) -> Any:
    """Refuse: there is no JavaScript here."""
    raise NotImplementedError("run_js: there is no JavaScript here")
