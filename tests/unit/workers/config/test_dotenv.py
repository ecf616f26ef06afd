from __future__ import annotations

from durabase.workers.config.dotenv import parse_dotenv


def test_forms_of_values() -> None:
    text = (
        "# a comment\n"
        "PLAIN=value of it  # comment\n"
        "export EXPORTED = x\n"
        'DOUBLE="a # b\\n\\"c\\""  # comment\n'
        "SINGLE='a\\nb'\n"
        "BACK=`it's`\n"
        'LINES="one\ntwo"\n'
        "EMPTY=\n"
        "not a line\n"
        "PLAIN2=1\r\n"
    )
    assert parse_dotenv(text) == {
        "PLAIN": "value of it",
        "EXPORTED": "x",
        "DOUBLE": 'a # b\n"c"',
        "SINGLE": "a\\nb",
        "BACK": "it's",
        "LINES": "one\ntwo",
        "EMPTY": "",
        "PLAIN2": "1",
    }


def test_the_last_of_equal_names_counts() -> None:
    assert parse_dotenv("A=1\nA=2") == {"A": "2"}
