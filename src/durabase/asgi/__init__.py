"""durabase within other people's servers: a worker, or a sync server, as an ASGI application.

::

    sync = asgi_app("wrangler.toml")
    app = FastAPI()
    app.mount("/sync", sync)
"""

from durabase.asgi.app import AsgiApp, asgi_app

__all__ = ["AsgiApp", "asgi_app"]
