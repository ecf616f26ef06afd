"""Signed tokens for rooms: who somebody is, which paths they may come to, at which level, and until when.

A token is a JSON Web Token (RFC 7519), signed with HMAC and SHA-256, so that programs in any language can
issue them. Its header names the key (``kid``). Its claims:

=========  ======================================================================
``aud``    ``durabase``: a token for something else is none for rooms
``sub``    the identity, if there is one
``paths``  the paths that it is for: a path; ``docs/*``, all below ``docs/``; ``*``, all
``level``  ``read``, ``write`` or ``admin``
``exp``    when it is over, in seconds since 1970; ``nbf``, when it begins, if it says so
``data``   what else is known of them: the claims of the :class:`~durabase.sync_server.Access`
=========  ======================================================================

Needs the package PyJWT: ``pip install 'durabase[tokens]'``.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, final
from urllib.parse import parse_qs, urlsplit

from durabase.clock import Clock, SystemClock
from durabase.errors import AccessError, ServerError, UnauthenticatedError
from durabase.sync_server.access import Access, Level, level_of
from durabase.sync_server.authorizing import Authorize
from durabase.types import Id
from durabase.web import Request

__all__ = ["RoomTokens", "authorize_by_token", "new_key", "token_of"]

_ALGORITHM: Final = "HS256"
_AUDIENCE: Final = "durabase"
_KEY_BYTES: Final = 32
_MOST_BYTES: Final = 8192
_BEARER: Final = "bearer."
_BELOW: Final = "/*"
_DOTS: Final = frozenset((".", ".."))
"""Segments that lead elsewhere where a path is taken for one of files; URLs of clients have none."""
_OURS: Final = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp"]}


@final
class RoomTokens:
    """Issues tokens for rooms, and verifies them.

    ::

        tokens = RoomTokens({"2026-11": new_secret, "2026-05": old_secret})
        token = tokens.issue("docs/*", "write", "ann", expires_in=3600)
        tokens.verify(token, "docs/plan").level    # Level.WRITE

    The first key signs, all are accepted. To replace a key, put the new one first, and take the old one away
    when the tokens that it has signed are over.

    Args:
        keys: secrets of at least 32 bytes, by their names.
        clock: tells when tokens begin and end.

    Raises:
        ValueError: there is no key, or one is too short.
        ServerError: PyJWT is not installed.
    """

    def __init__(self, keys: Mapping[str, str | bytes], *, clock: Clock | None = None) -> None:
        self._jwt = _imported()
        self._keys = {name: _secret(name, secret) for name, secret in keys.items()}
        if not self._keys:
            raise ValueError("at least one key is needed")
        self._clock = SystemClock() if clock is None else clock

    @classmethod
    def from_text(cls, text: str, *, clock: Clock | None = None) -> RoomTokens:
        """Tokens with keys as :func:`new_key` writes them, one a line, as in a file or a variable.

        Raises:
            ValueError: a line is no key, or two have one name.
        """
        keys: dict[str, str | bytes] = {}
        for line in text.split():
            name, colon, secret = line.partition(":")
            if not (name and colon) or name in keys:
                raise ValueError("expected keys of different names, one a line, as NAME:SECRET")
            keys[name] = secret
        return cls(keys, clock=clock)

    def issue(
        self,
        paths: str | Sequence[str],
        level: Level | str = Level.WRITE,
        identity: str = "",
        *,
        expires_in: float,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """A token.

        Args:
            paths: what it is for: path ids; ``docs/*`` for all below ``docs/``, ``*`` for all.
            level: what its bearer may do there.
            identity: who that is.
            expires_in: seconds until it is over.
            claims: what else is known of them, as JSON has it.

        Raises:
            ValueError: there is no such level, or nothing that it allows.
        """
        found = level_of(level)
        scopes = [paths] if isinstance(paths, str) else list(paths)
        if found is Level.NONE or not scopes or not (isfinite(expires_in) and expires_in > 0):
            raise ValueError("a token is for some path, a level above none, and some time")
        now = self._clock.now_ms() / 1000
        said: dict[str, Any] = {"aud": _AUDIENCE, "paths": scopes, "level": str(found), "iat": int(now)}
        said["exp"] = int(now + expires_in)
        if identity:
            said["sub"] = identity
        if claims:
            said["data"] = dict(claims)
        name, secret = next(iter(self._keys.items()))
        token: str = self._jwt.encode(said, secret, algorithm=_ALGORITHM, headers={"kid": name})
        return token

    def verify(self, token: str, path_id: Id) -> Access:
        """The access to a path that a token gives.

        Raises:
            UnauthenticatedError: it is none, was signed by somebody else, or is over.
            AccessError: it is for other paths.
        """
        said = self._claims_of(token)
        self._check_time(said)
        paths, identity, data = said.get("paths"), said.get("sub", ""), said.get("data", {})
        if not (isinstance(paths, list) and isinstance(identity, str) and isinstance(data, dict)):
            raise UnauthenticatedError("the token says other things than tokens for rooms")
        try:
            access = Access(said.get("level", ""), identity, data, said["exp"])
        except ValueError as error:
            raise UnauthenticatedError("the token names no level") from error
        if not any(_covers(scope, path_id) for scope in paths):
            raise AccessError("the token is for other rooms")
        return access

    def _claims_of(self, token: str) -> dict[str, Any]:
        """What a token says that was signed with one of the keys, with no other algorithm than ours."""
        if len(token) > _MOST_BYTES or not token.isascii():
            raise UnauthenticatedError("the token is too long, or has other letters than tokens have")
        try:
            name = self._jwt.get_unverified_header(token).get("kid")
            secret = self._keys.get(name) if isinstance(name, str) else None
            if secret is None:
                raise UnauthenticatedError("the token was signed with no key that is known here")
            said: dict[str, Any] = self._jwt.decode(
                token, secret, algorithms=[_ALGORITHM], audience=_AUDIENCE, options=_OURS
            )
        except self._jwt.InvalidTokenError as error:
            raise UnauthenticatedError("the token is none, or was signed by somebody else") from error
        return said

    def _check_time(self, said: dict[str, Any]) -> None:
        now = self._clock.now_ms() / 1000
        end, begin = said["exp"], said.get("nbf", 0)
        if not (_is_time(end) and _is_time(begin)):
            raise UnauthenticatedError("the token says no time")
        if end <= now:
            raise UnauthenticatedError("the token is over")
        if begin > now:
            raise UnauthenticatedError("the token is for later")


def authorize_by_token(tokens: RoomTokens, otherwise: Access | None = None) -> Authorize:
    """A hook that lets in whoever bears a token for the path.

    The token stands in the header ``Authorization: Bearer``, or in a subprotocol (browsers can't set headers
    of WebSockets): ``new WebSocket(url, ["durabase", "bearer." + token])``, or in the query: ``?token=``.

    Args:
        tokens: verifies them.
        otherwise: the access without a token; ``None``: none.
    """

    def authorize(request: Request, path_id: Id) -> Access | None:
        token = token_of(request)
        return otherwise if token is None else tokens.verify(token, path_id)

    return authorize


def token_of(request: Request) -> str | None:
    """The token that a request bears; ``None`` if it bears none. What it says is not looked at."""
    scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    for name in (request.headers.get("sec-websocket-protocol") or "").split(","):
        if name.strip().startswith(_BEARER):
            return name.strip().removeprefix(_BEARER)
    return parse_qs(urlsplit(request.url).query).get("token", [None])[0]


def new_key(name: str) -> str:
    """A new secret key, as :meth:`RoomTokens.from_text` reads it: ``NAME:SECRET``."""
    return f"{name}:{secrets.token_urlsafe(_KEY_BYTES)}"


def _covers(scope: Any, path_id: Id) -> bool:
    if not isinstance(scope, str):
        return False
    if scope == "*":
        return True
    if not scope.endswith(_BELOW):
        return path_id == scope
    return path_id.startswith(scope[:-1]) and not _DOTS.intersection(path_id.split("/"))


def _secret(name: str, secret: str | bytes) -> bytes:
    data = secret.encode() if isinstance(secret, str) else secret
    if len(data) < _KEY_BYTES:
        raise ValueError(f"the key {name!r} has {len(data)} bytes; at least {_KEY_BYTES} are needed")
    return data


def _is_time(thing: Any) -> bool:
    return isinstance(thing, (int, float)) and not isinstance(thing, bool) and isfinite(thing)


def _imported() -> Any:
    try:
        import jwt
    except ModuleNotFoundError as error:
        raise ServerError("PyJWT is missing: pip install 'durabase[tokens]'") from error
    return jwt
