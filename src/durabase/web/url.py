"""URLs as requests carry them: absolute, and in one spelling."""

from __future__ import annotations

from urllib.parse import quote, urlsplit, urlunsplit

from durabase._codec.strings import utf8

__all__ = ["normalised_url"]

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_PATH_SAFE = "/%:@!$&'()*+,;=-._~[]|^"
_QUERY_SAFE = _PATH_SAFE + "?`{}\\"
_FRAGMENT_SAFE = _QUERY_SAFE + "#"
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
    path = parts.path or "/"
    if scheme in _DEFAULT_PORTS:
        path = path.replace("\\", "/")
    path = quote(utf8(_without_dots(path)), safe=_PATH_SAFE)
    query = quote(utf8(parts.query), safe=_QUERY_SAFE)
    text = urlunsplit((scheme, authority, path, query, ""))
    return f"{text}#{quote(utf8(parts.fragment), safe=_FRAGMENT_SAFE)}" if parts.fragment else text


def _authority(host: str, port: int | None, scheme: str, netloc: str) -> str:
    userinfo, at, _ = netloc.rpartition("@")
    host = f"[{host}]" if ":" in host else host
    host = host if host.isascii() else host.encode("idna").decode("ascii")
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
