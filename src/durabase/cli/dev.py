"""``durabase dev``: a project while it is being worked on: reload, Vite, and a line for what happens."""

from __future__ import annotations

import webbrowser
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from threading import Thread

from durabase.cli.access import AccessLog, ErrorPages
from durabase.cli.banner import show_banner
from durabase.cli.console import Console
from durabase.cli.frontend.built import BuiltClient
from durabase.cli.frontend.dev import DevClient
from durabase.cli.frontend.site import Frontend
from durabase.cli.hotkeys import Hotkeys, Key, is_interactive
from durabase.cli.json_console import JsonConsole
from durabase.cli.monitor import Monitor
from durabase.cli.options import ServeOptions
from durabase.cli.project import Project, open_project
from durabase.cli.reload import Reloader, watch
from durabase.cli.scheduled import ScheduledTrigger
from durabase.cli.serve import built_client_dir
from durabase.cli.serving import run, serve_until_stopped, start_runtime, start_server
from durabase.cli.stop import StopSignals
from durabase.clock import SystemClock
from durabase.durable_objects.tracebacks import tell_origins
from durabase.inspector.site import PATH
from durabase.templates import prebuilt_client_dir

__all__ = ["dev"]


def dev(options: ServeOptions, console: Console) -> int:
    """Serve the project, following its changes, until stopped."""
    console.take_over_logging()
    tell_origins(True)
    project: Project | None = open_project(options, console)
    code = 0
    while project is not None:
        session = _Session(project, options, console)
        code = run(session.serve())
        project, options = session.next_project, replace(options, port=session.port)
    return code


class _Session:
    """From a start to a stop, or to a start anew."""

    def __init__(self, project: Project, options: ServeOptions, console: Console) -> None:
        self.next_project: Project | None = None
        self.port = 0
        self._project = project
        self._options = options
        self._console = console

    async def serve(self) -> None:
        project, options, console = self._project, self._options, self._console
        monitor = Monitor(project, options, console, inspects=True)
        stop = StopSignals(monitor.stopping)
        async with AsyncExitStack() as stack:
            runtime = await start_runtime(stack, project, options, monitor)
            answering = ScheduledTrigger(runtime, SystemClock(), test=options.test_scheduled).fetch
            program = AccessLog(ErrorPages(answering, console, show=True).fetch, console).fetch
            frontend = _frontend(project, options, console)
            server = await start_server(
                stack, program, frontend, runtime, project, options, before=monitor.inspecting
            )
            self.port = server.port
            show_banner(console, "dev", project, server.url, _client_kind(frontend))
            if isinstance(frontend, DevClient):  # after the banner, for it has things to say
                stop.on_forced(frontend.kill)
                await stack.enter_async_context(frontend)
            reloader = Reloader(project, options, runtime, console)
            changes = watch([project.config, *project.others], reloader.reload, console)
            monitor.ready(server)
            hotkeys = self._hotkeys(stack, stop, server.url, reloader)
            await serve_until_stopped(stop, console, server, changes, help_line=hotkeys)

    def _hotkeys(self, stack: AsyncExitStack, stop: StopSignals, url: str, reloader: Reloader) -> str:
        """Let keys be pressed, where that can be, and return the line about them."""
        if isinstance(self._console, JsonConsole) or not is_interactive():
            return ""
        keys = Hotkeys(
            {
                "b": Key("open a browser", lambda: _open(url)),
                "i": Key("inspector", lambda: _open(url.rstrip("/") + PATH)),
                "c": Key("clear", lambda: self._clear(keys.help)),
                "r": Key("restart", lambda: self._restart(stop, reloader)),
                "x": Key("exit", stop.stop),
            }
        )
        stack.enter_context(keys)
        stop.on_forced(keys.restore)
        return keys.help

    def _clear(self, help_line: str) -> None:
        self._console.clear()
        self._console.dim(help_line)

    def _restart(self, stop: StopSignals, reloader: Reloader) -> None:
        self._console.line("⎔ Restarting local server...")
        self.next_project = reloader.project()
        if self.next_project is not None:
            stop.stop()


def _open(url: str) -> None:
    Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _frontend(project: Project, options: ServeOptions, console: Console) -> BuiltClient | DevClient | None:
    client = project.client
    if client is None or not options.client_dev or not (client / "package.json").is_file():
        directory = built_client_dir(project, console)
        return BuiltClient(directory) if directory is not None else None
    fallback = _fallback(client)
    return DevClient(client, BuiltClient(fallback) if fallback is not None else None, console)


def _fallback(client: Path) -> Path | None:
    built = client / "dist"
    return built if (built / "index.html").is_file() else prebuilt_client_dir()


def _client_kind(frontend: Frontend | None) -> str | None:
    if frontend is None:
        return None
    return "Vite, hot reload" if isinstance(frontend, DevClient) else "built client"
