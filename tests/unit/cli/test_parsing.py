"""Commands' help, and wrong usage in two lines."""

from __future__ import annotations

import pytest

from durabase.cli.parsing import Parser, add_command


def make_parser() -> Parser:
    parser = Parser(prog="tool")
    command = add_command(parser.add_subparsers(), "make", "makes something new")
    command.add_argument("--count", type=int)
    return parser


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--nope"], "✘ [ERROR] unrecognized arguments: --nope\nSee tool --help.\n"),
        (
            ["make", "--count", "x"],
            "✘ [ERROR] argument --count: invalid int value: 'x'\nSee tool make --help.\n",
        ),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        make_parser().parse_args(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr() == ("", said)


def test_help_says_what_a_command_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, line in ((["--help"], "make  "), (["make", "--help"], "Makes something new.\n")):
        with pytest.raises(SystemExit) as caught:
            make_parser().parse_args(arguments)
        assert caught.value.code == 0
        assert line in capsys.readouterr().out
