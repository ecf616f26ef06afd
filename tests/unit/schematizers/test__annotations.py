"""What annotations allow, and defaults as stores take them."""

from __future__ import annotations

import datetime
import sys
import typing
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType, Optional, TypedDict, Union

import pytest

from durabase.errors import SchemaError
from durabase.schematizers._annotations import hints_of, kind_of_annotation, plain_default
from durabase.schematizers._kinds import ARRAY, NULL, NUMBER


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Mood(StrEnum):
    GOOD = "good"


class Point(NamedTuple):
    x: int
    y: int


class Chip(TypedDict):
    number: str


PetName = NewType("PetName", str)


@dataclass
class Owner:
    name: str


@pytest.mark.parametrize(
    ("annotation", "entry"),
    [
        (str, {"type": "string"}),
        (int, {"type": "number"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (list, {"type": "array"}),
        (typing.List, {"type": "array"}),  # noqa: UP006
        (tuple[int, ...], {"type": "array"}),
        (Sequence[int], {"type": "array"}),
        (MutableSequence, {"type": "array"}),
        (Point, {"type": "array"}),
        (dict[str, int], {"type": "object"}),
        (typing.Dict[str, int], {"type": "object"}),  # noqa: UP006
        (Mapping[str, Any], {"type": "object"}),
        (Owner, {"type": "object"}),
        (Chip, {"type": "object"}),
        (str | int | None, {"type": ["string", "number"], "allowNull": True}),
        (Union[int, float], {"type": "number"}),  # noqa: UP007
        (Optional[bool], {"type": "boolean", "allowNull": True}),  # noqa: UP045
        (Literal["a", 1, None], {"enum": ["a", 1], "allowNull": True}),
        (Literal["a"] | Colour, {"enum": ["a", "red", "green"]}),
        (Literal[Colour.RED, "x"], {"enum": ["red", "x"]}),
        (Literal["a"] | int, {"type": ["string", "number"]}),
        (Size, {"enum": [1, 2]}),
        (Mood, {"enum": ["good"]}),
        (PetName, {"type": "string"}),
        (Annotated[int, "years"], {"type": "number"}),
        (Annotated[str | None, "x"], {"type": "string", "allowNull": True}),
        (typing.Final[int], {"type": "number"}),
        (ClassVar[str], {"type": "string"}),
        (typing.Required[int], {"type": "number"}),
        (typing.NotRequired[Annotated[int, 1]], {"type": "number"}),
        (bool | None, {"type": "boolean", "allowNull": True}),
        (Union[None, str], {"type": "string", "allowNull": True}),  # noqa: UP007
        (Any, {"type": ["string", "number", "boolean", "object", "array"], "allowNull": True}),
        (object, {"type": ["string", "number", "boolean", "object", "array"], "allowNull": True}),
    ],
    ids=str,
)
def test_annotations(annotation: Any, entry: dict[str, Any]) -> None:
    assert kind_of_annotation(annotation, "x").entry("x") == entry


def test_nothing() -> None:
    assert kind_of_annotation(None, "x") == kind_of_annotation(type(None), "x") == NULL


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement came with Python 3.12")
def test_type_statements() -> None:
    namespace: dict[str, Any] = {}
    exec("type Age = int | None\ntype Many[T] = list[T]", namespace)  # noqa: S102
    assert kind_of_annotation(namespace["Age"], "x") == NUMBER.or_null()
    assert kind_of_annotation(namespace["Many"][int], "x") == ARRAY


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (datetime.datetime, "datetime"),
        (Decimal, "Decimal"),
        (bytes, "bytes"),
        (set[int], "set"),
        (complex, "complex"),
        (str | bytes, "bytes"),
        (typing.TypeVar("T"), "~T"),
    ],
    ids=str,
)
def test_what_no_cell_can_be(annotation: Any, told: str) -> None:
    with pytest.raises(SchemaError, match=rf"^Model\.x: .*{told}.* can't be kept in a cell; expected str"):
        kind_of_annotation(annotation, "Model.x")


@pytest.mark.parametrize(
    ("default", "plain"),
    [
        (None, None),
        (1.5, 1.5),
        (Colour.RED, "red"),
        (Size.LARGE, 2),
        ((1, [Colour.GREEN, ()]), [1, ["green", []]]),
        ({"a": {"b": Colour.RED}}, {"a": {"b": "red"}}),
    ],
)
def test_defaults_become_plain(default: Any, plain: Any) -> None:
    made = plain_default(default, "x")
    assert (made, type(made)) == (plain, type(plain))


@pytest.mark.parametrize("default", [b"a", {1}, [b"a"], {"a": Decimal(1)}])
def test_defaults_that_no_cell_can_have(default: Any) -> None:
    with pytest.raises(
        SchemaError, match=r"^M\.x: a default of type (bytes|set|Decimal) can't be kept in a cell$"
    ):
        plain_default(default, "M.x")


def test_annotations_by_name_keep_their_wrappers() -> None:
    class Model:
        x: Annotated[int, "years"]
        y: "ClassVar[str]"  # noqa: UP037

    assert hints_of(Model) == {"x": Annotated[int, "years"], "y": ClassVar[str]}


def test_names_that_are_nowhere() -> None:
    model = type("Model", (), {"__annotations__": {"x": "Nowhere"}})
    with pytest.raises(SchemaError, match=r"^Model: an annotation can't be resolved: name 'Nowhere'"):
        hints_of(model)
