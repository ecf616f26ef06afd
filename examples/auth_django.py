"""Django: the recipe of docs/guides/auth.md, which explains it.

Copy it into your application, and there: uvicorn auth_django:app
"""

# ruff: noqa: E402 (Django wants to know its settings first)
import os

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
django = get_asgi_application()

from importlib import import_module
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie

from durabase import MergeableStore
from durabase.asgi import asgi_app
from durabase.persisters import FilePersister
from durabase.server.origins import Origins
from durabase.sync_server import Access, WsServer

ours = Origins(["same"])


@sync_to_async
def user_of(request):
    cookies = parse_cookie(request.headers.get("cookie") or "")
    asked = HttpRequest()
    engine = import_module(settings.SESSION_ENGINE)
    asked.session = engine.SessionStore(cookies.get(settings.SESSION_COOKIE_NAME))
    return get_user(asked)


async def authorize(request, path_id):
    user = await user_of(request)
    if not user.is_authenticated or not ours.allow(request):
        return None
    return Access("admin" if user.is_staff else "write", user.get_username())


def persister(path_id):
    return FilePersister(MergeableStore(), f"{quote(path_id, safe='')}.json")


sync = asgi_app(WsServer(persister, authorize=authorize), prefix="/sync")


async def app(scope, receive, send):
    is_ours = scope["type"] != "http" or scope["path"].startswith("/sync/")
    await (sync if is_ours else django)(scope, receive, send)
