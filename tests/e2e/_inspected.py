"""The project that the inspector looks into: the template's rooms, and books with keys, tables, an alarm."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from durabase.templates import create_project

_CLASS = """

class Book(DurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS pages (number INTEGER PRIMARY KEY, text TEXT)")

    async def fetch(self, request):
        print("asked for", request.url)
        for number in range(120):
            self.ctx.storage.sql.exec("INSERT OR IGNORE INTO pages VALUES (?, ?)", number, f"Page {number}")
        self.ctx.storage.put("title", "<img src=x onerror=alert(1)>")
        self.ctx.storage.put("read", {"by": ["Ann", "Bob"], "times": 3})
        await self.ctx.storage.set_alarm(4_000_000_000_000)
        return Response("kept")

    async def alarm(self, info):
        print("the alarm rings")
        self.ctx.storage.put("rang", True)


"""
_CONFIG = """
[[durable_objects.bindings]]
name = "BOOKS"
class_name = "Book"

[[migrations]]
tag = "books"
new_sqlite_classes = ["Book"]
"""
_FETCH = """
    async def fetch(self, request):
        path = request.url.split("/", 3)[3]
        if path.startswith("books/"):
            return await self.env.BOOKS.get_by_name(path.partition("/")[2]).fetch(request)
        return await ws_server_fetch("TinyBaseDurableObjects")(self, request)
"""


def write_inspected_project(folder: Path) -> Path:
    """Write it below ``folder``; `GET /books/NAME` makes a book."""
    project = create_project("inspected", folder)
    program, config = project / "server/index.py", project / "server/wrangler.toml"
    text = program.read_text("utf-8").replace(
        "import WorkerEntrypoint", "import DurableObject, Response, WorkerEntrypoint"
    )
    text = text.replace("\n\nclass Default", _CLASS + "class Default")
    text = text.replace(
        '    fetch = ws_server_fetch("TinyBaseDurableObjects")\n', dedent(_FETCH).replace("\n", "\n    ")[:-4]
    )
    program.write_text(text, "utf-8")
    settings = config.read_text("utf-8").replace("new_classes", "new_sqlite_classes")
    config.write_text(settings + _CONFIG, "utf-8")
    return project
