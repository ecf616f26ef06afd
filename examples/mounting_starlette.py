"""Starlette: the recipe of docs/guides/mounting.md, which explains it.

Copy it into your application, and there: uvicorn mounting_starlette:app
"""

from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from durabase import MergeableStore
from durabase.asgi import asgi_app
from durabase.persisters import FilePersister
from durabase.sync_server import WsServer


def persister(path_id: str) -> FilePersister:
    return FilePersister(MergeableStore(), f"{quote(path_id, safe='')}.json")


async def health(request: Request) -> JSONResponse:
    return JSONResponse({"ok": True})


sync = asgi_app(WsServer(persister))
routes = [Route("/health", health), Mount("/sync", sync)]
app = Starlette(routes=routes, lifespan=sync.lifespan)
