from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from durabase._names import camel_case, js_names, snake_case

PAIRS = [
    ("accept_web_socket", "acceptWebSocket"),
    ("get_web_socket_auto_response_timestamp", "getWebSocketAutoResponseTimestamp"),
    ("one", "one"),
    ("id_from_name", "idFromName"),
    ("to_array", "toArray"),
]


@pytest.mark.parametrize(("snake", "camel"), PAIRS)
def test_a_name_goes_there_and_back(snake: str, camel: str) -> None:
    assert camel_case(snake) == camel
    assert snake_case(camel) == snake


@js_names
class Base:
    __slots__ = ("ready_state",)

    def __init__(self) -> None:
        self.ready_state = 1

    def get_it(self) -> str:
        return "base"

    @property
    def read_only(self) -> str:
        return self.get_it()

    @staticmethod
    def of_class() -> str:
        return "static"

    def _hidden_name(self) -> None: ...


def test_every_public_member_has_both_names() -> None:
    base = Base()
    assert base.getIt() == "base"  # type: ignore[attr-defined]
    assert base.readOnly == "base"  # type: ignore[attr-defined]
    assert Base.ofClass() == "static"  # type: ignore[attr-defined]
    base.readyState = 3  # type: ignore[attr-defined]
    assert base.ready_state == 3
    assert not hasattr(base, "_hiddenName")


def test_overriding_either_name_overrides_both_and_super_works_for_both() -> None:
    class Snake(Base):
        def get_it(self) -> str:
            return f"snake+{super().getIt()}"  # type: ignore[misc]

    class Camel(Base):
        def getIt(self) -> str:
            return "camel+" + super().get_it()

    class Again(Camel):
        def get_it(self) -> str:
            return "again+" + super().getIt()

    for cls, said in ((Snake, "snake+base"), (Camel, "camel+base"), (Again, "again+camel+base")):
        thing: Any = cls()
        assert thing.get_it() == said
        assert thing.getIt() == said
        assert thing.read_only == said


def test_a_mixin_that_knows_one_name_gives_both() -> None:
    class Mixin:
        def getIt(self) -> str:
            return "mixin"

    class Mixed(Mixin, Base): ...

    assert Mixed().get_it() == "mixin"


def test_one_member_under_both_names_is_refused() -> None:
    with pytest.raises(TypeError, match="get_it and getIt"):

        class Both(Base):
            def get_it(self) -> str:
                return ""

            def getIt(self) -> str:
                return ""


def test_the_class_s_own_init_subclass_still_runs() -> None:
    seen = []

    @js_names
    class Hooked:
        def __init_subclass__(cls, **kwargs: object) -> None:
            seen.append((cls.__name__, kwargs))

        def a_b(self) -> int:
            return 1

    class Sub(Hooked, mark=1):
        def aB(self) -> int:
            return 2

    assert seen == [("Sub", {"mark": 1})]
    assert Sub().a_b() == 2


def test_declared_attributes_are_members() -> None:
    @js_names
    class Declaring:
        binary_type: str
        _own_thing: int

        def __init__(self) -> None:
            self.binary_type = "blob"

    class Sub(Declaring): ...

    thing = Sub()
    thing.binaryType = "arraybuffer"  # type: ignore[attr-defined]
    assert thing.binary_type == thing.binaryType == "arraybuffer"  # type: ignore[attr-defined]
    assert not hasattr(Declaring, "_ownThing")


def test_dataclass_fields_are_members_too() -> None:
    @js_names
    @dataclass(frozen=True, slots=True)
    class Info:
        retry_count: int

    assert Info(2).retryCount == 2  # type: ignore[attr-defined]
