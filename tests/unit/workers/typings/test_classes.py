"""Classes as text."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from durabase._names import js_names
from durabase.workers.config import Config
from durabase.workers.typings.classes import class_stub


class Base:
    pass


@js_names
class Thing(Base):
    LIMIT = 5
    other = object()
    max_size: int

    def __init__(self, start_at: float, config: Config) -> None:
        self.start_at = start_at
        self.config = config
        self.size: int | None = None
        self.derived = start_at + 1
        self._private = 1

    async def do_it(self, what: str) -> Base:
        raise NotImplementedError(what)

    @property
    def is_done(self) -> bool:
        return True

    @property
    def level(self) -> int:
        return 1

    @level.setter
    def level(self, value: int) -> None: ...

    @staticmethod
    def of_all() -> None: ...

    @classmethod
    def made(cls, data: Any) -> Thing: ...  # type: ignore[empty-body]

    def internal(self, config: Config) -> None: ...

    def _private_method(self) -> None: ...

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return ""


KNOWN = {Base: "Base", Thing: "Named"}
MEMBERS = """
    max_size: int
    maxSize: int
    start_at: float
    startAt: float
    size: int | None
    derived: Any
    LIMIT: int
    other: Any
    {init}async def do_it(self, what: str) -> Base: ...
    @property
    def is_done(self) -> bool: ...
    level: int
    @staticmethod
    def of_all() -> None: ...
    @classmethod
    def made(cls, data: Any) -> Named: ...
    def __len__(self) -> int: ...
    async def doIt(self, what: str) -> Base: ...
    @property
    def isDone(self) -> bool: ...
    @staticmethod
    def ofAll() -> None: ...
"""


def test_public_members_in_both_spellings() -> None:
    expected = "class Named(Base):" + MEMBERS.replace("{init}", "").rstrip()
    assert class_stub(Thing, "Named", KNOWN, constructible=False) == expected


def test_a_class_that_programs_call() -> None:
    text = class_stub(Thing, "Named", KNOWN, constructible=True)
    assert "    def __init__(self, start_at: float, config: Any) -> None: ...\n" in text


def test_a_class_without_members() -> None:
    assert class_stub(Base, "Base", KNOWN, constructible=False) == "class Base: ..."


def test_dicts() -> None:
    class Record(dict[str, int]):
        def __getattr__(self, name: str) -> int:
            return self[name]

    assert (
        class_stub(Record, "Record", KNOWN, constructible=False)
        == dedent("""
        class Record(dict[Any, Any]):
            def __getattr__(self, name: str) -> int: ...
    """).strip()
    )
