"""Litestar: the recipe of docs/guides/mounting.md, which explains it.

Copy it into your application, and there: uvicorn mounting_litestar:app
"""

from litestar import Litestar, asgi, get

from durabase.asgi import asgi_app


@get("/health")
async def health() -> dict[str, bool]:
    return {"ok": True}


sync = asgi_app("wrangler.toml", prefix="/sync")
mounted = asgi("/sync", is_mount=True, copy_scope=True)(sync)
app = Litestar([health, mounted], lifespan=[sync.lifespan])
