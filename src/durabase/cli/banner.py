"""The first lines: what is served and where to look."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.project import Project

__all__ = ["show_banner"]


def show_banner(console: Console, command: str, project: Project, url: str, client: str | None) -> None:
    """Show the name, the addresses, the classes and where data is kept.

    Args:
        console: where to.
        command: ``dev``, ``serve`` or ``demo``.
        project: what is served.
        url: the address of the server.
        client: how the client is served, ``None`` if there is none.
    """
    title = f"durabase {version('durabase')} · {project.name} · {command}"
    console.line()
    console.line(f"  {console.bold(title)}    Python {platform.python_version()}")
    console.line()
    for label, text in _facts(project, url.rstrip("/"), client):
        console.line(f"  {label:<8} {text}")
    console.line()


def _facts(project: Project, url: str, client: str | None) -> Iterable[tuple[str, str]]:
    if client is not None:
        yield "App", f"{url}/    {client}"
    config = project.config
    storage = {configured.class_name: configured.storage for configured in config.classes}
    main = _shown(Path(config.main))
    for binding in config.durable_objects:
        yield (
            "Objects",
            f"env.{binding.name} → {binding.class_name} ({storage[binding.class_name]})    {main}",
        )
    if not config.durable_objects:
        yield "Program", main
    for name, value in config.vars.items():
        yield "Var", f"env.{name} = {'(hidden)' if name in config.secrets else repr(value)}"
    for name in config.secrets.keys() - config.vars.keys():
        yield "Secret", f"env.{name} = (hidden)"
    if config.durable_objects:
        yield "Data", _shown(project.state_dir)


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
