"""Who may use the admin address: who has the token; without one, programs on this machine."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from durabase.errors import ConfigError
from durabase.web import Request, Response

__all__ = ["AdminGuard", "check_address"]


def check_address(host: str, token: str | None) -> None:
    """See that an address which others can reach is not served without a token.

    Raises:
        ConfigError: it would be.
    """
    if token is None and not _is_loopback(host):
        raise ConfigError(
            f"The admin address {host} can be reached by others: set DURABASE_ADMIN_TOKEN to a secret that "
            "they need, or use 127.0.0.1."
        )


class AdminGuard:
    """Lets requests in, or refuses them.

    Without a token only requests that address this machine by a name of its own get in, and none that a
    page in a browser has made: a page can reach loopback addresses, but can't leave out ``Origin`` when it
    changes something, nor choose ``Host``.

    Args:
        token: the secret.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    def refusal(self, request: Request) -> Response | None:
        """What to answer to who may not; ``None`` to who may."""
        if self._token is not None:
            given = (request.headers.get("authorization") or "").removeprefix("Bearer ")
            if compare_digest(given.encode(), self._token.encode()):
                return None
            return Response("A token is needed.\n", 401, headers={"www-authenticate": "Bearer"})
        if "origin" in request.headers or not _is_loopback(urlsplit(request.url).hostname or ""):
            return Response("Only programs on this machine may do this.\n", 403)
        return None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
