"""Stubs of one process that keep objects of another one awake for as long as they are in use.

An object asks its holders whether they still are, whenever it might sleep. A holder elsewhere can't answer at
once: it counts as in use until the other process has said that it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.routing import Holder, ObjectKey, ObjectRouter

__all__ = ["HOLD_KINDS", "Holds"]

HOLD_KINDS: Final = frozenset(("hold", "held?", "held", "unhold"))

Send = Callable[[list[Any]], object]


class _FarHolder:
    """What stands here for a stub of the other process."""

    __slots__ = ("__weakref__", "_ask", "is_asked")

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = ask
        self.is_asked = False

    def _rpc_in_use(self) -> bool:
        if not self.is_asked:
            self.is_asked = True
            self._ask()
        return True


class Holds:
    """What two processes hold of each other.

    Args:
        send: sends a message to the other process.
        objects: the objects of this process.
    """

    def __init__(self, send: Send, objects: ObjectRouter) -> None:
        self._send = send
        self._objects = objects
        self._last = 0
        self._numbers: WeakKeyDictionary[Holder, int] = WeakKeyDictionary()
        self._holders: dict[int, ref[Holder]] = {}
        self._far: dict[int, _FarHolder] = {}

    def hold(self, key: ObjectKey, holder: Holder) -> None:
        """Keep an object of the other process awake for as long as ``holder`` is there and in use."""
        if holder in self._numbers:
            return
        self._last += 1
        number = self._numbers[holder] = self._last
        self._holders[number] = ref(holder, lambda _: self._let_go(number))
        self._send(["hold", number, key.class_name, key.id.key, key.id.name, key.id.jurisdiction])

    def receive(self, kind: str, number: int, details: list[Any]) -> None:
        """The other process says something of the holder that has this number."""
        if kind == "hold":
            class_name, *id = details
            holder = self._far[number] = _FarHolder(partial(self._send, ["held?", number]))
            self._objects.hold(ObjectKey(class_name, DurableObjectId(*id)), holder)
        elif kind == "held?":
            self._answer(number)
        elif kind == "unhold":
            self._far.pop(number, None)
        elif number in self._far:
            self._far[number].is_asked = False

    def _answer(self, number: int) -> None:
        known = self._holders.get(number)
        holder = None if known is None else known()
        if holder is not None and holder._rpc_in_use():
            self._send(["held", number])
        elif known is not None:
            if holder is not None:
                del self._numbers[holder]
            self._let_go(number)

    def _let_go(self, number: int) -> None:
        if self._holders.pop(number, None) is not None:
            self._send(["unhold", number])

    def lose(self) -> None:
        """The other process is gone, and holds nothing any more."""
        self._far.clear()
        self._holders.clear()
        self._numbers.clear()
