"""ASGI servers as processes of their own, and the outer applications of the guides, which are examples."""

from __future__ import annotations

import sys
from pathlib import Path
from shutil import copyfile, copytree, ignore_patterns

from docs._pages import ROOT
from durabase.templates import demo_server_dir
from e2e._server import ServerProcess, free_port

EXAMPLES = ROOT / "examples"
FRAMEWORKS = ("FastAPI", "Starlette", "Litestar", "Django")
SERVERS = ("uvicorn", "hypercorn", "granian")
DJANGO = {
    "settings": 'SECRET_KEY = "x"\nALLOWED_HOSTS = ["*"]\nROOT_URLCONF = "mysite.urls"\n',
    "urls": (
        "from django.http import JsonResponse\nfrom django.urls import path\n"
        'urlpatterns = [path("health", lambda request: JsonResponse({"ok": True}))]\n'
    ),
}
_READY = {"uvicorn": "Uvicorn running on", "hypercorn": "Running on", "granian": "Started worker-1"}


def write_outer(folder: Path, framework: str) -> None:
    """Write the recipe for mounting as ``main.py``, beside the template's worker."""
    copytree(demo_server_dir(), folder, dirs_exist_ok=True, ignore=ignore_patterns("__pycache__"))
    copyfile(EXAMPLES / f"mounting_{framework.lower()}.py", folder / "main.py")
    write_django(folder)


def write_django(folder: Path) -> Path:
    """Write a small Django project; gives the place of its settings."""
    (folder / "mysite").mkdir()
    for name, text in DJANGO.items():
        (folder / "mysite" / f"{name}.py").write_text(text)
    return folder / "mysite" / "settings.py"


class AsgiServer(ServerProcess):
    """An ASGI server that serves ``main:app`` of a folder."""

    def __init__(self, server: str, folder: Path, *options: str) -> None:
        self.name = server
        port = free_port()
        place = {
            "uvicorn": ["--port", str(port)],
            "hypercorn": ["--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1"],
            "granian": ["--interface", "asgi", "--port", str(port)],
        }[server]
        command = [str(Path(sys.executable).parent / server), *place, *options, "main:app"]
        super().__init__(folder, port, command, _READY[server], cwd=folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"
