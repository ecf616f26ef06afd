"""Identity providers: the recipe of docs/guides/auth.md, which explains it.

Copy it into your application, and there: uvicorn auth_identity_providers:app
"""

import asyncio
import os
from urllib.parse import quote

import jwt

from durabase import MergeableStore
from durabase.asgi import asgi_app
from durabase.errors import UnauthenticatedError
from durabase.persisters import FilePersister
from durabase.sync_server import Access, WsServer
from durabase.sync_server.tokens import token_of

ISSUER = os.environ.get("ISSUER", "https://login.example/")
keys = jwt.PyJWKClient(f"{ISSUER}.well-known/jwks.json")


def claims_of(token: str) -> dict:
    key = keys.get_signing_key_from_jwt(token)  # may ask the provider, so this runs in a thread
    must = {"require": ["exp", "sub"]}
    return jwt.decode(token, key, algorithms=["RS256"], audience="rooms", issuer=ISSUER, options=must)


async def authorize(request, path_id):
    token = token_of(request)
    if token is None:
        return None
    try:
        claims = await asyncio.to_thread(claims_of, token)
    except jwt.PyJWTError as error:
        raise UnauthenticatedError("the token is not one of our provider's") from error
    rooms = claims.get("rooms")  # a list: in a text "plan" would be found in "planet"
    level = "write" if isinstance(rooms, list) and path_id in rooms else "read"
    return Access(level, claims["sub"], claims, claims["exp"])


def persister(path_id: str) -> FilePersister:
    return FilePersister(MergeableStore(), f"{quote(path_id, safe='')}.json")


app = asgi_app(WsServer(persister, authorize=authorize), prefix="/sync")
