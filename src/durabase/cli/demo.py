"""``durabase demo``: the template's own server and its client, which come with the package."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import open_project
from durabase.cli.serve import serve_project
from durabase.cli.service_manager import ServiceManager
from durabase.cli.serving import run
from durabase.errors import ConfigError
from durabase.templates import demo_server_dir, prebuilt_client_dir

__all__ = ["demo"]

_STATE = Path(".durabase", "demo")


def demo(options: ServeOptions, console: Console) -> int:
    """Serve the demo until stopped; its data is kept below the current directory."""
    console.take_over_logging()
    options = replace(options, place=demo_server_dir(), persist_to=options.persist_to or _STATE)
    project = open_project(options, console)
    client = prebuilt_client_dir()
    if client is None:
        raise ConfigError("The demo's client has not been built: run `make build` in the source tree first.")
    return run(serve_project(project, options, console, client, "demo", ServiceManager()))
