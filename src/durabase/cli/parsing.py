"""Parsers of commands: help that says what a command is for, and wrong usage in two lines."""

from __future__ import annotations

import argparse
from typing import NoReturn, TypeAlias

from durabase.cli.console import Console

__all__ = ["Commands", "Parser", "add_command"]


class Parser(argparse.ArgumentParser):
    """An argument parser that does not answer a slip with a screenful of options."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where help is, and exit with 2."""
        Console().error(f"{message}\nSee {self.prog} --help.")
        self.exit(2)


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"  # argparse gives it no public name


def add_command(commands: Commands, name: str, about: str) -> Parser:
    """Add a command, or one of a command's own. ``about`` is its line in the list and its help's sentence."""
    description = f"{about[0].upper()}{about[1:]}."
    return commands.add_parser(name, help=about, description=description)
