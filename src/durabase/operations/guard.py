"""Who may use the admin address: who has the token; without one, programs on this machine."""

from __future__ import annotations

from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from durabase.errors import ConfigError
from durabase.web import Request, Response

__all__ = ["AdminGuard", "check_address", "is_local"]


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

    Without a token only requests that address this machine by a name of its own get in, and of those that a
    page in a browser has made only a page's of this same address: others can reach loopback addresses, but
    can't choose ``Host``, nor what browsers say about them.

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
        if _is_of_another_page(request) or not _is_loopback(urlsplit(request.url).hostname or ""):
            return Response("Only programs on this machine may do this.\n", 403)
        return None


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine, and through no proxy that says that it is one."""
    headers = request.headers
    is_passed_on = any(name in headers for name in ("forwarded", "x-forwarded-for", "x-real-ip", "via"))
    return not is_passed_on and _is_loopback(headers.get("cf-connecting-ip") or "")


def _is_of_another_page(request: Request) -> bool:
    """Whether a browser says that a page of another origin asks for this."""
    own = urlsplit(request.url)
    origin = request.headers.get("origin")
    if origin is not None and origin.lower() != f"{own.scheme}://{own.netloc}".lower():
        return True
    return request.headers.get("sec-fetch-site") not in (None, "same-origin", "none")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
