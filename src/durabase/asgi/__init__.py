"""durabase within other people's servers: a worker, or a sync server, as an ASGI application.

::

    sync = asgi_app("wrangler.toml")
    app = FastAPI()
    app.mount("/sync", sync)
"""

try:
    from durabase.asgi.app import AsgiApp, asgi_app
except ModuleNotFoundError as error:
    if error.name != "h11":
        raise
    raise ModuleNotFoundError("h11 is missing: pip install 'durabase[server]'", name="h11") from error

__all__ = ["AsgiApp", "asgi_app"]
