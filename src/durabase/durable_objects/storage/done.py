"""Results of calls that act at once, in a form that may be awaited or dropped."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Final, Generic, TypeVar

__all__ = ["DONE", "Done"]

T = TypeVar("T")


class Done(Coroutine[Any, Any, T], Generic[T]):
    """The awaitable of something that is done: awaiting it gives the result without visiting the loop.

    It may be dropped, awaited more than once, gathered, or made a task.
    """

    __slots__ = ("result",)

    def __init__(self, result: T) -> None:
        self.result = result

    def __await__(self) -> Generator[Any, Any, T]:
        return self.result
        yield  # makes this a generator

    def send(self, value: Any) -> Any:
        raise StopIteration(self.result)

    def throw(
        self,
        kind: Any,
        value: BaseException | object = None,
        traceback: TracebackType | None = None,
    ) -> Any:
        raise kind if value is None else value  # type: ignore[misc]

    def close(self) -> None:
        """Nothing to do."""


DONE: Final[Done[None]] = Done(None)
"""Done, with nothing to tell."""
