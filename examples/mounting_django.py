"""Django: the recipe of docs/guides/mounting.md, which explains it.

Copy it into your application, and there: uvicorn mounting_django:app
"""

import os

from django.core.asgi import get_asgi_application

from durabase.asgi import asgi_app

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django = get_asgi_application()
sync = asgi_app("wrangler.toml", prefix="/sync")


async def app(scope, receive, send):
    is_ours = scope["type"] != "http" or scope["path"].startswith("/sync/")
    await (sync if is_ours else django)(scope, receive, send)
