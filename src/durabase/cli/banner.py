"""The first lines: what is served and where to look."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from durabase.cli.bound import bound, shown_path
from durabase.cli.console import Console
from durabase.cli.project import Project
from durabase.inspector.site import PATH

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
    title = f"durabase {command}" if command == "demo" else f"durabase {command} · {project.name}"
    about = console.faint(f"version {version('durabase')}, Python {platform.python_version()}")
    console.line()
    console.line(f"  {console.bold(title)}    {about}")
    console.line()
    for label, text in _facts(project, url.rstrip("/"), client, command):
        console.line(f"  {label:<8} {text}")
    console.line()


def _facts(project: Project, url: str, client: str | None, command: str) -> Iterable[tuple[str, str]]:
    if command == "demo":
        yield "Open", f"{url}/  in two browsers, and edit in either"
    elif client is not None:
        yield "App", f"{url}/    {client}"
    if command in ("dev", "demo"):
        yield "Inspect", f"{url}{PATH}    for this machine only"
    if command != "demo":
        yield "Program", shown_path(Path(project.config.main))
    names = [project.config.name, *(other.name for other in project.others)]
    yield from ((each.kind, str(each)) for each in bound(project.config, names))
    if project.config.crons:
        yield "Crons", ", ".join(project.config.crons) + " (UTC)"
    for other in project.others:
        routes = ", ".join(route.pattern for route in other.routes)
        yield "Worker", f"{other.name}    {shown_path(Path(other.main))}    {routes}".rstrip()
    if any(config.durable_objects or config.kv_namespaces for config in (project.config, *project.others)):
        yield "Data", shown_path(project.state_dir)
