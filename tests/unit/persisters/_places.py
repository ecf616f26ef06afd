"""A place in memory for tests, which can be made slow, broken or both."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from durabase.persisters import Completion, CustomPersister, PersisterListener, Persists, Status
from durabase.persisters.base import Persister
from durabase.store import Store
from durabase.types import UNDEFINED


class Place:
    """Holds content. ``log`` tells what was done to it and every status of its persister.

    ``is_slow``: reading and writing end when :meth:`go_on` is called, first come, first served.
    """

    def __init__(self, content: Any = UNDEFINED) -> None:
        self.content = content
        self.log: list[Any] = []
        self.errors: list[Exception] = []
        self.listener: PersisterListener | None = None
        self.is_slow = False
        self.read_error: Exception | None = None
        self.write_error: Exception | None = None
        self._waiting: list[Completion[Any]] = []

    def persister(self, store: Any, **options: Any) -> CustomPersister:
        persister = CustomPersister(
            store, self.get, self.set, self.add_listener, self.del_listener, self.errors.append, **options
        )
        persister.add_status_listener(self._note_status)
        return persister

    def go_on(self) -> None:
        self._waiting.pop(0).set_result(None)

    def get(self) -> Any:
        self.log.append("get")
        return self._answer(self._read)

    def set(self, get_content: Any, changes: Any) -> Any:
        self.log.append("set all" if changes is None else ("set", deepcopy(changes)))
        return self._answer(lambda: self._write(get_content))

    def add_listener(self, listener: PersisterListener) -> str:
        self.log.append("listen")
        self.listener = listener
        return "handle"

    def del_listener(self, handle: str) -> None:
        assert handle == "handle"
        self.log.append("unlisten")
        self.listener = None

    def _note_status(self, _persister: Persister, status: Status) -> None:
        self.log.append(int(status))

    def _read(self) -> Any:
        if self.read_error is not None:
            raise self.read_error
        return deepcopy(self.content)

    def _write(self, get_content: Any) -> None:
        if self.write_error is not None:
            raise self.write_error
        self.content = deepcopy(get_content())

    def _answer(self, act: Any) -> Any:
        if not self.is_slow:
            return act()
        answer: Completion[Any] = Completion()
        gate: Completion[Any] = Completion()
        self._waiting.append(gate)

        def end(_: object) -> None:
            try:
                answer.set_result(act())
            except Exception as error:
                answer.set_exception(error)

        gate.add_done_callback(end)
        return answer


def content(**cells: Any) -> list[Any]:
    """Plain content with one row."""
    return [{"t": {"r": cells}} if cells else {}, {}]


def cells(store: Store) -> Any:
    return store.get_row("t", "r")


def set_cell(store: Store, **cell: Any) -> None:
    for cell_id, thing in cell.items():
        store.set_cell("t", "r", cell_id, thing)


def changes(**cell: Any) -> Any:
    return ("set", [{"t": {"r": cell}}, {}, 1])


MERGEABLE = Persists.MERGEABLE_STORE_ONLY
