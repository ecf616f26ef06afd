"""Text exactly as JavaScript writes and reads it: numbers, JSON, UTF-8, ids.

Hashes are taken over these texts and other implementations compare them, so each function agrees with
ECMAScript byte for byte: ``number_text`` with ``Number::toString``, ``json_text`` with
``JSON.stringify``, ``parse_json`` with ``JSON.parse``, ``utf8`` with ``TextEncoder``. "JSON with
undefined" is TinyBase's own: every undefined member or element is the string U+FFFC.

It does not know stores, stamps or messages.
"""

from __future__ import annotations

from durabase._codec.ids import ALPHABET, id_from_bytes, shared_id, unique_id
from durabase._codec.limits import MAX_NESTING
from durabase._codec.numbers import number_text
from durabase._codec.order import is_array_index, ordered, ordered_items
from durabase._codec.reading import parse_json, parse_json_with_undefined
from durabase._codec.strings import IS_COMPILED, js_string, string_text, utf8, utf8_length
from durabase._codec.writing import json_text, json_text_with_undefined

__all__ = [
    "ALPHABET",
    "IS_COMPILED",
    "MAX_NESTING",
    "id_from_bytes",
    "is_array_index",
    "js_string",
    "json_text",
    "json_text_with_undefined",
    "number_text",
    "ordered",
    "ordered_items",
    "parse_json",
    "parse_json_with_undefined",
    "shared_id",
    "string_text",
    "unique_id",
    "utf8",
    "utf8_length",
]
