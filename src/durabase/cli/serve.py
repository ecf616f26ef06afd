"""``durabase serve``: a project in production, on one origin with its built client."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from pathlib import Path

from durabase.cli.access import ErrorPages
from durabase.cli.banner import show_banner
from durabase.cli.console import Console
from durabase.cli.frontend.built import BuiltClient
from durabase.cli.monitor import Monitor
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project, load_project, open_project
from durabase.cli.service_manager import ServiceManager
from durabase.cli.serving import run, serve_until_stopped, start_runtime, start_server
from durabase.cli.stop import StopSignals
from durabase.cluster.member import Place
from durabase.templates import prebuilt_client_dir

__all__ = ["built_client_dir", "serve", "serve_project"]


def serve(options: ServeOptions, console: Console) -> int:
    """Serve the project until stopped."""
    console.take_over_logging()
    place = Place.found(os.environ)
    project = load_project(options) if place is not None else open_project(options, console)
    client = built_client_dir(project, console, tell=place is None)
    manager = ServiceManager.taken(os.environ)
    if place is None and options.processes is None:
        return run(serve_project(project, options, console, client, "serve", manager))
    from durabase.cli.processes import serve_partition, supervise  # what not every system has

    if place is not None:
        return run(serve_partition(place, project, options, console, client))
    return run(supervise(project, options, console, client, manager))


def built_client_dir(project: Project, console: Console, *, tell: bool = True) -> Path | None:
    """Return the directory of the project's built client, ``None`` if the project has no client.

    A client that was not built is replaced by the one that comes with the package, with a warning, unless
    nothing is to be told.
    """
    if project.client is None:
        assets = project.config.assets
        is_page = assets is not None and (Path(assets.directory) / "index.html").is_file()
        return Path(assets.directory) if assets is not None and is_page else None
    built = project.client / "dist"
    if (built / "index.html").is_file():
        return built
    prebuilt = prebuilt_client_dir()
    instead = "serving no client" if prebuilt is None else "serving the client that comes with durabase"
    if tell:
        console.warning(f"{built} is not there: {instead}. `npm run build` in {project.client} makes it.")
    return prebuilt


async def serve_project(
    project: Project,
    options: ServeOptions,
    console: Console,
    client: Path | None,
    command: str,
    manager: ServiceManager,
) -> None:
    """Serve a project with the client in the directory ``client`` until stopped; a demo can be inspected."""
    is_demo = command == "demo"
    monitor = Monitor(project, options, console, errors_only=True, inspects=is_demo)
    stop = StopSignals(manager.is_stopping, monitor.stopping)
    async with AsyncExitStack() as stack:
        runtime = await start_runtime(stack, project, options, monitor)
        program = ErrorPages(runtime.dispatch, console, show=False).fetch
        frontend = BuiltClient(client) if client is not None else None
        server = await start_server(
            stack,
            program,
            frontend,
            runtime,
            project,
            options,
            manager.listeners,
            before=monitor.inspecting if is_demo else lambda fetch: fetch,
        )
        show_banner(console, command, project, server.url, None if client is None else "built client")
        monitor.ready(server)
        manager.watch(stack)
        manager.is_ready(f"Ready on {server.url}")
        await serve_until_stopped(stop, console, server)
