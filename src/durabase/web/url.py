"""URLs as requests carry them: absolute, and in one spelling."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from durabase._codec.strings import utf8

__all__ = ["normalised_url"]

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_PATH_SAFE = "/%:@!$&'()*+,;=-._~[]|^"
_QUERY_SAFE = _PATH_SAFE + "?`{}\\"
_SPECIAL_QUERY_SAFE = _QUERY_SAFE.replace("'", "")
_FRAGMENT_SAFE = _PATH_SAFE + "?{}\\#"
_NOT_IN_HOSTS = re.compile(r"[\0-\x20\x7f#%/<>?@\[\\\]^|]")
_SAME_DIRECTORY = frozenset((".", "%2e"))
_PARENT_DIRECTORY = frozenset(("..", ".%2e", "%2e.", "%2e%2e"))


def normalised_url(url: str) -> str:
    """``url`` with scheme and host in lower case, no default port, no dot segments nor backslashes, at least
    ``/`` as path, and everything percent-encoded that has to be.

    Raises:
        TypeError: it is not absolute, or not a URL at all.
    """
    try:
        parts = urlsplit(url.strip())
        scheme = parts.scheme.lower()
        authority = _authority(parts.hostname or "", parts.port, scheme, parts.netloc)
    except ValueError as error:
        raise TypeError(f"Invalid URL: {url}") from error
    if not scheme or not parts.hostname:
        raise TypeError(f"Invalid URL: {url}")
    is_special = scheme in _DEFAULT_PORTS
    path = (parts.path.replace("\\", "/") if is_special else parts.path) or "/"
    text = f"{scheme}://{authority}{quote(utf8(_without_dots(path)), safe=_PATH_SAFE)}"
    before, mark, _ = url.partition("#")
    if "?" in before:
        text += f"?{quote(utf8(parts.query), safe=_SPECIAL_QUERY_SAFE if is_special else _QUERY_SAFE)}"
    return f"{text}#{quote(utf8(parts.fragment), safe=_FRAGMENT_SAFE)}" if mark else text


def _authority(host: str, port: int | None, scheme: str, netloc: str) -> str:
    userinfo, at, _ = netloc.rpartition("@")
    if ":" in host:
        host = f"[{host}]"
    else:
        host = unquote(host).lower()
        host = host if host.isascii() else host.encode("idna").decode("ascii")
        if _NOT_IN_HOSTS.search(host):
            raise ValueError(host)
    shown = "" if port is None or port == _DEFAULT_PORTS.get(scheme) else f":{port}"
    return f"{userinfo}{at}{host}{shown}"


def _without_dots(path: str) -> str:
    """``path`` without segments that mean the same directory or its parent, also if these are escaped."""
    if "/." not in path and "/%2" not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment.lower() in _PARENT_DIRECTORY:
            del kept[-1:]
        elif segment.lower() not in _SAME_DIRECTORY:
            kept.append(segment)
    if segments[-1].lower() in _SAME_DIRECTORY | _PARENT_DIRECTORY:
        kept.append("")
    return "/" + "/".join(kept)
