"""What a worker sees as ``env``: its bindings as attributes; and the ``env`` of whoever asks.

Knows nothing of what the bindings are; :mod:`durabase.workers.bindings` makes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["Env", "ambient_env", "env", "patch_env"]


class Env:
    """Bindings by attribute: ``env.NAME``. They can't be set; a name that is not bound is an AttributeError.

    There is one for the life of a runtime; when the configuration is loaded anew, its bindings
    are replaced, so references to it stay good.
    """

    __slots__ = ("__bindings", "__missing")

    def __init__(self, bindings: Mapping[str, object], missing: Mapping[str, str] | None = None) -> None:
        """Make an env.

        Args:
            bindings: what the names stand for.
            missing: names that are configured but can't be offered, and why.
        """
        self.__bindings = dict(bindings)
        self.__missing = dict(missing or {})

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__bindings[name]
        except KeyError:
            raise AttributeError(self.__explain(name), name=name, obj=self) from None

    def __dir__(self) -> list[str]:
        return sorted(self.__bindings)

    def __repr__(self) -> str:
        return f"<Env {', '.join(sorted(self.__bindings)) or 'without bindings'}>"

    def __explain(self, name: str) -> str:
        if name in self.__missing:
            return f"env.{name}: {self.__missing[name]}"
        return f"env has no binding {name!r}; it has: {', '.join(sorted(self.__bindings)) or 'none'}"

    @staticmethod
    def replace(target: Env, source: Env) -> None:
        """Give ``target`` the bindings of ``source``."""
        target.__bindings, target.__missing = source.__bindings, source.__missing

    @staticmethod
    @contextmanager
    def patched(target: Env, values: Mapping[str, object]) -> Iterator[Env]:
        """Bind further or other ``values`` for as long as the context lasts."""
        before = target.__bindings
        target.__bindings = {**before, **values}
        try:
            yield target
        finally:
            target.__bindings = before


ambient_env: ContextVar[Env] = ContextVar("durabase_env")
"""The env of the program that is running, set by its runtime."""


class _AmbientEnv:
    """Stands for the env of the running program; good for ``from durabase.workers import env``."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(_current(), name)

    def __dir__(self) -> list[str]:
        return dir(_current())

    def __repr__(self) -> str:
        return repr(ambient_env.get(None)) if ambient_env.get(None) else "<Env of no running worker>"


def _current() -> Env:
    found = ambient_env.get(None)
    if found is None:
        raise RuntimeError("env has no bindings here: no worker is running")
    return found


env = _AmbientEnv()


@contextmanager
def patch_env(
    values: Mapping[str, object] | Iterable[tuple[str, object]] | None = None, /, **named: object
) -> Iterator[Env]:
    """Replace or add bindings of the running program's env for as long as the context lasts."""
    with Env.patched(_current(), {**dict(values or {}), **named}) as patched:
        yield patched
