"""What may be a Cell or a Value, and objects and arrays as encoded text.

In the *encoded* form, in which a store keeps things, objects and arrays are strings: U+FFFD, then
their JSON text. Hence strings that start with U+FFFD are no things for the outside, nor is the
one-character string U+FFFC, which stands for "undefined" in JSON text. The rules are TinyBase
10.0.1's. It does not know where a thing belongs, nor schemas.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, TypeAlias

from durabase._codec import json_text, parse_json
from durabase.types import JSON_PREFIX, UNDEFINED, UNDEFINED_MARK, Id, Thing, UndefinedType

__all__ = [
    "Encoded",
    "EncodedOrUndefined",
    "decode",
    "encode",
    "encode_all",
    "encode_rows",
    "is_encoded_json",
    "same_thing",
    "thing_type",
]

Encoded: TypeAlias = str | int | float | bool | None
"""A thing in the encoded form, with exactly one of these types."""
EncodedOrUndefined: TypeAlias = Encoded | UndefinedType

_is_ascii: Final = str.isascii  # compiled, a method of text has to be looked for with each call
_MAX_SAFE: Final = 2**53
_SPLIT_PAIR: Final = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")


def encode(thing: object, accept_encoded: bool) -> EncodedOrUndefined:
    """The encoded form of a thing; UNDEFINED if it is none.

    With ``accept_encoded`` objects and arrays may also be given encoded, and are left as they are if
    what they hold is JSON of an object or array. Numbers are doubles, so an ``int`` beyond 2^53
    becomes the nearest one. The result has an exact type even if the thing is of a derived class.
    """
    kind = type(thing)
    if kind is str:
        if _is_ascii(thing):  # type: ignore[arg-type]
            return thing  # type: ignore[return-value]
        return _encode_string(thing, accept_encoded)  # type: ignore[arg-type]
    if kind is int:
        if -_MAX_SAFE <= thing <= _MAX_SAFE:  # type: ignore[operator]
            return thing  # type: ignore[return-value]
        return _encode_big(thing)  # type: ignore[arg-type]
    if kind is bool or thing is None:
        return thing  # type: ignore[return-value]
    if kind is float:
        return thing if isfinite(thing) else UNDEFINED  # type: ignore[return-value,arg-type]
    return _encode_other(thing, accept_encoded)


def encode_all(things: dict[Id, Any], accept_encoded: bool) -> dict[Id, Any]:
    """Those that are things, encoded; the same dict if they all are so already."""
    for thing in things.values():
        if thing is UNDEFINED or encode(thing, accept_encoded) is not thing:
            break
    else:
        return things
    return {
        id_: encoded
        for id_, thing in things.items()
        if (encoded := encode(thing, accept_encoded)) is not UNDEFINED
    }


def encode_rows(rows: dict[Id, dict[Id, Any]], accept_encoded: bool) -> None:
    """Leave those rows of which something can be kept, encoded."""
    others: dict[Id, dict[Id, Any]] = {}
    for row_id, cells in rows.items():
        row = encode_all(cells, accept_encoded)
        if row is not cells or not row:
            others[row_id] = row
    for row_id, row in others.items():
        if row:
            rows[row_id] = row
        else:
            del rows[row_id]


def _encode_string(text: str, accept_encoded: bool) -> EncodedOrUndefined:
    if text[0] == JSON_PREFIX:
        return text if accept_encoded and _json_type(text) is not None else UNDEFINED
    if text == UNDEFINED_MARK:
        return UNDEFINED
    if _SPLIT_PAIR.search(text):  # JavaScript knows no difference between a pair and its character
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return text


def _encode_big(number: int) -> EncodedOrUndefined:
    try:
        return float(number)
    except OverflowError:
        return UNDEFINED


def _encode_other(thing: object, accept_encoded: bool) -> EncodedOrUndefined:
    if isinstance(thing, dict | list | tuple | Mapping):
        try:
            return JSON_PREFIX + json_text(thing)
        except (TypeError, ValueError):
            return UNDEFINED
    if isinstance(thing, str):
        return encode(str.__str__(thing), accept_encoded)
    if isinstance(thing, int):
        return encode(int(thing), accept_encoded)
    if isinstance(thing, float):
        return encode(float(thing), accept_encoded)
    return UNDEFINED


def is_encoded_json(thing: object) -> bool:
    """Whether this is an object or array in the encoded form."""
    return isinstance(thing, str) and thing.startswith(JSON_PREFIX)


def decode(thing: Any) -> Any:
    """The decoded form of an encoded thing, objects and arrays fresh each time; UNDEFINED stays itself."""
    if type(thing) is str and thing.startswith(JSON_PREFIX):
        return parse_json(thing[1:])
    return thing


def same_thing(one: EncodedOrUndefined, other: EncodedOrUndefined) -> bool:
    """Whether two encoded things are equal as for JavaScript's ``===``: 0 and -0 are, 1 and True are not."""
    if one is other:
        return True
    return one == other and (type(one) is bool) == (type(other) is bool)


def thing_type(thing: Encoded) -> str:
    """The type of an encoded thing by its name in schemas; ``"null"`` for None."""
    kind = type(thing)
    if kind is str:
        return _json_type(thing) or "string"  # type: ignore[arg-type]
    return _TYPE_NAMES[kind]


_TYPE_NAMES: Final[dict[type, str]] = {
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def _json_type(text: str) -> str | None:
    """``"object"`` or ``"array"`` if the text is one in the encoded form."""
    if not text.startswith(JSON_PREFIX):
        return None
    try:
        parsed: Thing = parse_json(text[1:])
    except ValueError:
        return None
    if isinstance(parsed, dict):
        return "object"
    return "array" if isinstance(parsed, list) else None
