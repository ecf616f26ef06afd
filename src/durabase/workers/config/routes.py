"""Routes: which requests are a worker's, by host and path, as Cloudflare matches them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from durabase.workers.config.fields import Fields, shown

__all__ = ["Route", "parse_route", "read_routes"]

_SHAPE = "{ pattern, custom_domain, zone_id | zone_name, enabled, previews_enabled }"
_PATTERN = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\*?[^*/?#:]*(?::\d+)?)(?P<path>/[^*?#]*)?(?P<rest>\*?)", re.I
)


@dataclass(frozen=True, slots=True)
class Route:
    """A pattern, taken apart. ``scheme`` is empty if any will do.

    ``host`` has to be the host of a URL, or its end if ``any_subdomain``; ``path`` its path with the
    query, or their beginning if ``any_suffix``.
    """

    pattern: str
    scheme: str
    host: str
    path: str
    any_subdomain: bool = False
    any_suffix: bool = False

    def matches(self, scheme: str, host: str, target: str) -> bool:
        """Tell whether a URL of this scheme, host without port, and path with query is meant."""
        if self.scheme not in ("", scheme):
            return False
        is_host = host.endswith(self.host) if self.any_subdomain else host == self.host
        return is_host and (target.startswith(self.path) if self.any_suffix else target == self.path)

    @property
    def precedence(self) -> tuple[bool, int, int, bool]:
        """Sorts the more specific of two routes that match one URL first."""
        return self.any_subdomain, -len(self.host), -len(self.path), self.any_suffix


def parse_route(pattern: str, *, custom_domain: bool = False) -> Route:
    """Take a pattern like ``*.example.com/shop/*`` apart. A custom domain is a host, and all paths are its.

    Raises:
        ValueError: wildcards are elsewhere than before the host and after the path, or there is a query.
    """
    if custom_domain and ("*" in pattern or "/" in pattern):
        raise ValueError(f'"{pattern}" is no custom domain: it can have neither wildcards nor a path')
    found = _PATTERN.fullmatch(pattern)
    if "?" in pattern:
        raise ValueError(f'Route "{pattern}" contains a query string. This is not allowed.')
    if found is None or not found["host"]:
        raise ValueError(
            f'Route "{pattern}" contains an infix wildcard, or no host. Wildcards may stand before the host '
            "and after the path: *.example.com/path/*"
        )
    host = urlsplit(f"//{found['host'].removeprefix('*')}").hostname or ""
    return Route(
        pattern,
        (found["scheme"] or "").lower(),
        host,
        found["path"] or "/",
        any_subdomain=found["host"].startswith("*"),
        any_suffix=custom_domain or bool(found["rest"]),
    )


def read_routes(fields: Fields) -> tuple[Route, ...]:
    """Read ``route`` or ``routes``: patterns, or objects that have one."""
    single, several = fields.raw("route"), fields.raw("routes")
    if single is not None and several is not None:
        fields.error('Expected exactly one of the following fields ["routes","route"].')
    if single is not None and not _is_route(single):
        fields.error(
            f'Expected "route" to be either a string, or an object with shape {_SHAPE}, '
            f"but got {shown(single)}."
        )
        return ()
    if several is not None and not isinstance(several, list):
        fields.error(f'Expected "routes" to be an array but got {shown(several)}.')
        return ()
    wrong = [entry for entry in several or [] if not _is_route(entry)]
    if wrong:
        fields.error(
            f'Expected "routes" to be an array of either strings or objects with the shape {_SHAPE}, '
            f"but these weren't valid: {shown(wrong)}."
        )
        return ()
    entries = [single] if single is not None else several or []
    return tuple(route for entry in entries if (route := _parsed(entry, fields)) is not None)


def _is_route(entry: Any) -> bool:
    if isinstance(entry, str):
        return True
    if not isinstance(entry, dict) or not isinstance(entry.get("pattern"), str):
        return False
    return any(key in entry for key in ("custom_domain", "zone_id", "zone_name"))


def _parsed(entry: Any, fields: Fields) -> Route | None:
    is_domain = isinstance(entry, dict) and entry.get("custom_domain") is True
    try:
        return parse_route(entry if isinstance(entry, str) else entry["pattern"], custom_domain=is_domain)
    except ValueError as error:
        fields.error(str(error))
        return None
