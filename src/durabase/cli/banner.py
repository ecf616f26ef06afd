"""The first lines: what is served and where to look."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.project import Project
from durabase.workers.config import Config

__all__ = ["show_banner"]

_STORAGES = {"kv": "key-value storage", "sqlite": "SQLite storage"}


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
    if command != "demo":
        yield "Program", _shown(Path(project.config.main))
    yield from _bindings(project.config, [project.config.name, *(other.name for other in project.others)])
    for other in project.others:
        routes = ", ".join(route.pattern for route in other.routes)
        yield "Worker", f"{other.name}    {_shown(Path(other.main))}    {routes}".rstrip()
    if any(config.durable_objects or config.kv_namespaces for config in (project.config, *project.others)):
        yield "Data", _shown(project.state_dir)


def _bindings(config: Config, workers: list[str]) -> Iterable[tuple[str, str]]:
    storage = {configured.class_name: configured.storage for configured in config.classes}
    for objects in config.durable_objects:
        of = objects.script_name or _STORAGES[storage[objects.class_name]]
        yield "Objects", f"env.{objects.name} → {objects.class_name} ({of})"
    for kv in config.kv_namespaces:
        yield "KV", f"env.{kv.name} → {kv.id}"
    for service in config.services:
        of = service.entrypoint if service.service in workers else "not running here"
        yield "Service", f"env.{service.name} → {service.service} ({of})"
    for name, value in config.vars.items():
        yield "Var", f"env.{name} = {'(hidden)' if name in config.secrets else repr(value)}"
    for name in config.secrets.keys() - config.vars.keys():
        yield "Secret", f"env.{name} = (hidden)"
    if config.crons:
        yield "Crons", ", ".join(config.crons) + " (UTC)"


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
