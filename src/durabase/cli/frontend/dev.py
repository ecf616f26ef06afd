"""The client in development: Vite behind the same origin, or the built client where Vite can't be had."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType

from durabase.cli.console import Console
from durabase.cli.frontend.built import BuiltClient
from durabase.cli.frontend.proxy import LocalProxy
from durabase.cli.frontend.site import wants_page
from durabase.cli.frontend.vite import ViteProcess, install_packages, node_problem
from durabase.errors import ServerError
from durabase.web import Request, Response
from durabase.workers.static_files import url_path

__all__ = ["DevClient"]

_HMR_PROTOCOLS = ("vite-hmr", "vite-ping")
_VITE_PREFIXES = ("/@", "/__", "/node_modules/", "/src/")
_PAUSE_SECONDS = 1.0


class DevClient:
    """The :class:`Frontend` of a Vite project. Requests wait while Vite is being started.

    Args:
        client: the directory with its ``package.json``.
        built: what to serve instead if Vite can't run, ``None`` if there is nothing.
        console: told why it can't, and what Vite says.
    """

    def __init__(self, client: Path, built: BuiltClient | None, console: Console) -> None:
        self._client = client
        self._built = built
        self._console = console
        self._proxy = LocalProxy()
        self._vite: ViteProcess | None = None
        self._settled = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> DevClient:
        self._supervisor = asyncio.create_task(self._supervise())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
        await self._proxy.close()

    def kill(self) -> None:
        """End Vite without asking."""
        if self._vite is not None:
            self._vite.kill()

    async def fetch(self, request: Request) -> Response | None:
        """Answer with Vite's page or file."""
        await self._settled.wait()
        if self._vite is None:
            return await self._built.fetch(request) if self._built is not None else None
        if not _is_vites(request):
            return None
        try:
            return await self._proxy.fetch(request, self._vite.port)
        except OSError as error:
            return Response(f"Vite does not answer: {error}", 502)

    async def upgrade(self, request: Request) -> Response | None:
        """Take over the socket of Vite's hot reload."""
        offered = request.headers.get("sec-websocket-protocol") or ""
        if not any(part.strip() in _HMR_PROTOCOLS for part in offered.split(",")):
            return None
        await self._settled.wait()
        if self._vite is None:
            return Response("Vite is not running", 404)
        return await self._proxy.upgrade(request, self._vite.port)

    async def _supervise(self) -> None:
        """Keep Vite running; if it can't be started, serve the built client."""
        try:
            await self._install()
            while True:
                await self._run_once()
        except ServerError as error:
            served = "the built client, without hot reload" if self._built is not None else "no client"
            self._console.warning(f"Serving {served}: {error}")
        finally:
            self._settled.set()

    async def _install(self) -> None:
        if (problem := await node_problem()) is not None:
            raise ServerError(problem)
        if not (self._client / "node_modules").is_dir():
            self._console.line(f"npm install in {self._client} ...")
            if self._built is not None:
                self._console.line("Serving the built client until Vite runs.")
                self._settled.set()
            await install_packages(self._client)
            self._settled.clear()
            self._console.line("Installed. Reload the page: it is Vite's now.")

    async def _run_once(self) -> None:
        vite = self._vite = await ViteProcess.start(self._client, self._console)
        self._settled.set()
        try:
            code = await vite.wait()
        finally:
            self._vite = None
            await vite.stop()
        self._settled.clear()
        self._console.warning(f"Vite ended with exit code {code}; starting it again.")
        await asyncio.sleep(_PAUSE_SECONDS)


def _is_vites(request: Request) -> bool:
    path = url_path(request)
    is_file = "." in path.rpartition("/")[2]
    return wants_page(request) or is_file or path.startswith(_VITE_PREFIXES)
