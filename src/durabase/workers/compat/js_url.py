"""``URL``, as the URL standard has it."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit, urlunsplit

from durabase.web.url import normalised_url
from durabase.web.url_search_params import URLSearchParams

__all__ = ["URL"]

_WITH_ORIGIN = frozenset(("http:", "https:", "ws:", "wss:"))


class URL:
    """An absolute URL. Its parts can be set, and its ``searchParams`` be changed.

    Raises:
        TypeError: it is none, not even with ``base``.
    """

    def __init__(self, url: object, base: object = None) -> None:
        text = str(url)
        try:
            self._href = normalised_url(text if base is None else urljoin(normalised_url(str(base)), text))
        except (TypeError, ValueError):
            raise TypeError("Invalid URL string.") from None
        self.searchParams = URLSearchParams.of(urlsplit(self._href).query, self._params_changed)

    @classmethod
    def new(cls, url: object, base: object = None) -> URL:
        """Make one."""
        return cls(url, base)

    @classmethod
    def parse(cls, url: object, base: object = None) -> URL | None:
        """Make one, or none if it is not valid."""
        try:
            return cls(url, base)
        except TypeError:
            return None

    @classmethod
    def canParse(cls, url: object, base: object = None) -> bool:  # noqa: N802 (JavaScript's name)
        """Tell whether it is valid."""
        return cls.parse(url, base) is not None

    @property
    def href(self) -> str:
        """The whole URL."""
        return self._href

    @href.setter
    def href(self, value: str) -> None:
        self.__init__(value)  # type: ignore[misc]

    @property
    def protocol(self) -> str:
        """The scheme and a colon."""
        return f"{urlsplit(self._href).scheme}:"

    @protocol.setter
    def protocol(self, value: str) -> None:
        self._set(scheme=value.rstrip(":"))

    @property
    def username(self) -> str:
        """Who the credentials are of, or nothing."""
        return urlsplit(self._href).username or ""

    @property
    def password(self) -> str:
        """The credentials' secret, or nothing."""
        return urlsplit(self._href).password or ""

    @property
    def hostname(self) -> str:
        """The host."""
        host = urlsplit(self._href).hostname or ""
        return f"[{host}]" if ":" in host else host

    @hostname.setter
    def hostname(self, value: str) -> None:
        self._set(netloc=self._netloc(value, self.port))

    @property
    def port(self) -> str:
        """The port, or nothing if it is that of the scheme."""
        number = urlsplit(self._href).port
        return "" if number is None else str(number)

    @port.setter
    def port(self, value: object) -> None:
        self._set(netloc=self._netloc(self.hostname, str(value)))

    @property
    def host(self) -> str:
        """The host, and the port if there is one."""
        return f"{self.hostname}:{self.port}" if self.port else self.hostname

    @host.setter
    def host(self, value: str) -> None:
        self._set(netloc=self._netloc(value, ""))

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.protocol}//{self.host}" if self.protocol in _WITH_ORIGIN else "null"

    @property
    def pathname(self) -> str:
        """The path."""
        return urlsplit(self._href).path

    @pathname.setter
    def pathname(self, value: str) -> None:
        path = value.replace("?", "%3F").replace("#", "%23")
        self._set(path=path if path.startswith("/") else f"/{path}")

    @property
    def search(self) -> str:
        """The query with its question mark, or nothing."""
        query = urlsplit(self._href).query
        return f"?{query}" if query else ""

    @search.setter
    def search(self, value: str) -> None:
        self._set(query=value.removeprefix("?").replace("#", "%23"))
        self.searchParams.reread(self.search)

    @property
    def hash(self) -> str:
        """The fragment with its number sign, or nothing."""
        fragment = urlsplit(self._href).fragment
        return f"#{fragment}" if fragment else ""

    @hash.setter
    def hash(self, value: str) -> None:
        self._set(fragment=value.removeprefix("#"))

    def toString(self) -> str:  # noqa: N802 (JavaScript's name)
        """Return the whole URL."""
        return self._href

    toJSON = toString  # noqa: N815 (JavaScript's name)

    def _netloc(self, host: str, port: str) -> str:
        userinfo, at, _ = urlsplit(self._href).netloc.rpartition("@")
        return f"{userinfo}{at}{host}" + (f":{port}" if port else "")

    def _set(self, **parts: str) -> None:
        self._href = normalised_url(urlunsplit(urlsplit(self._href)._replace(**parts)))

    def _params_changed(self) -> None:
        self._set(query=self.searchParams.toString())

    def __str__(self) -> str:
        return self._href

    def __repr__(self) -> str:
        return f"URL({self._href!r})"
