"""``durabase types``: writes stubs for editors and type checkers into a project."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

from durabase.cli.bound import shown_path
from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import open_project
from durabase.errors import ConfigError
from durabase.workers.loader import load_workers, unload_workers
from durabase.workers.typings import typings

__all__ = ["types"]

_FOLDER = "typings"


def types(options: argparse.Namespace, console: Console) -> int:
    """Write the stubs; with ``check`` only say whether they are up to date.

    Raises:
        ConfigError: the project can't be loaded, or the stubs can't be written.
    """
    place, *others = options.configs or [options.place]
    project = open_project(ServeOptions(place, tuple(others), environment=options.environment), console)
    configs = [project.config, *project.others]
    with contextlib.redirect_stdout(sys.stderr):  # what the program prints is no part of the answer
        workers = load_workers(configs)
    unload_workers(workers)
    files = typings(list(zip(configs, workers, strict=True)))
    home = project.client.parent if project.client is not None else Path(project.config.directory)
    folder = options.output or home / _FOLDER
    if options.check:
        return _check(folder, files, console)
    _write(folder, files)
    console.line(f"  Wrote {len(files)} stubs into {console.bold(shown_path(folder))}")
    console.line(f"  Pyright and Pylance find them; for mypy: mypy_path = {shown_path(folder)}")
    return 0


def _check(folder: Path, files: dict[str, str], console: Console) -> int:
    stale = [path for path, text in files.items() if not _is(folder / path, text)]
    if stale:
        console.error(f"{shown_path(folder)} is out of date: {', '.join(stale)}. Run: durabase types")
        return 2
    console.line(f"  {shown_path(folder)} is up to date")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _write(folder: Path, files: dict[str, str]) -> None:
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror or error}") from error
