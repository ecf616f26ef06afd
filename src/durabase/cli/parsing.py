"""Parsers of commands: help that says what a command is for, and wrong usage in two lines."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from durabase.cli.console import Console

__all__ = ["Commands", "Parser", "add_command"]

Commands = argparse._SubParsersAction  # argparse gives it no public name


class Parser(argparse.ArgumentParser):
    """An argument parser that does not answer a slip with a screenful of options."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and exit with 2."""
        Console().error(f"{message}\nSee {self.prog} --help.")
        self.exit(2)


def add_command(commands: Commands[Any], name: str, about: str) -> argparse.ArgumentParser:
    """Add a command, or one of a command's own. ``about`` stands in the list, and as a sentence in its help."""
    description = f"{about[0].upper()}{about[1:]}."
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=description)
    return parser
