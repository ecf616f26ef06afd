from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase.workers.config.jsonc import parse_jsonc


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, // one\n "b": [1, 2,], /* two\n lines */ }', {"a": 1, "b": [1, 2]}),
        ('{"url": "http://x/*y*/", "c": ",]"}', {"url": "http://x/*y*/", "c": ",]"}),
        ('{"q": "a\\"// b"}', {"q": 'a"// b'}),
        ('\ufeff{"a": 1,\n// last\n}', {"a": 1}),
    ],
)
def test_comments_and_trailing_commas(text: str, value: Any) -> None:
    assert parse_jsonc(text) == value


@pytest.mark.parametrize("text", ["{", "[1,,]", "{'a': 1}", '{"a": NaN}', "/* open", ""])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        parse_jsonc(text)


def test_positions_are_those_of_the_file() -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        parse_jsonc('{\n  // a comment\n  "a": oops\n}')
    assert (caught.value.lineno, caught.value.colno) == (3, 8)


@settings(max_examples=50, deadline=None)
@given(st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_plain_json_means_what_it_means(value: Any) -> None:
    assert parse_jsonc(json.dumps(value, indent=1)) == value
    assert parse_jsonc(json.dumps(value, ensure_ascii=False)) == value
