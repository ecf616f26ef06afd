"""FastAPI: the recipe of docs/guides/auth.md, which explains it.

Copy it into your application, and there: uvicorn auth_fastapi:app
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import Cookie, Depends, FastAPI, HTTPException
from fastapi.responses import PlainTextResponse

from durabase import MergeableStore
from durabase.asgi import asgi_app
from durabase.persisters import FilePersister
from durabase.sync_server import RoomTokens, WsServer, authorize_by_token

SESSIONS = {"cookie-of-ann": "ann", "cookie-of-rita": "rita"}  # yours are in a database
EDITORS = {"ann"}
tokens = RoomTokens({"2026-11": "this-is-not-a-secret-but-long-enough"})


def current_user(session: Annotated[str | None, Cookie()] = None) -> str:
    if session not in SESSIONS:
        raise HTTPException(401)
    return SESSIONS[session]


def persister(path_id: str) -> FilePersister:
    return FilePersister(MergeableStore(), f"{quote(path_id, safe='')}.json")


sync = asgi_app(WsServer(persister, authorize=authorize_by_token(tokens)))
app = FastAPI(lifespan=sync.lifespan)


@app.post("/rooms/{room:path}/token", response_class=PlainTextResponse)
def room_token(room: str, user: Annotated[str, Depends(current_user)]) -> str:
    path = quote(room, safe="/!'()*")  # as it stands in URLs, written by encodeURIComponent
    return tokens.issue(path, "write" if user in EDITORS else "read", user, expires_in=900)


app.mount("/sync", sync)
