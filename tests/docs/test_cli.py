"""The page about the command line has every command and option. Its session is among ``test_sessions``."""

from __future__ import annotations

import argparse
import re

import pytest

from durabase.cli.main import parser

from ._pages import ROOT

PAGE = ROOT / "docs" / "reference" / "cli.md"


def commands() -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    (actions,) = (action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in actions.choices.items():
        inner = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
        found[name] = command
        found |= {f"{name} {sub}": each for action in inner for sub, each in action.choices.items()}
    return found


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_on_the_page(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"durabase {name}" in text
    options = [option for action in commands()[name]._actions for option in action.option_strings]
    missing = [
        option for option in options if option.startswith("--") and not re.search(rf"{option}\b", text)
    ]
    assert missing == []
