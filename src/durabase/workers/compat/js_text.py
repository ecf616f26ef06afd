"""Text and bytes in JavaScript's ways: ``TextEncoder``, ``TextDecoder``, ``atob``, and the like."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import Any
from urllib.parse import quote, unquote

from durabase.web.structured_clone import decode_value, encode_value
from durabase.workers.compat.js_bytes import Uint8Array

__all__ = [
    "TextDecoder",
    "TextEncoder",
    "atob",
    "btoa",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "structuredClone",
]

_COMPONENT_SAFE = "!'()*~"
_URI_SAFE = _COMPONENT_SAFE + ";/?:@&=+$,#"
_SPACE = re.compile(r"[\t\n\f\r ]")
_OWN_MARK = re.compile("%(?=3B|2F|3F|3A|40|26|3D|2B|24|2C|23)", re.IGNORECASE)
"""The escape of ``;/?:@&=+$,#``."""
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


class TextEncoder:
    """Text to UTF-8."""

    encoding = "utf-8"

    @classmethod
    def new(cls) -> TextEncoder:
        """Make one."""
        return cls()

    def encode(self, text: str = "") -> Uint8Array:
        """Return the bytes; a lone surrogate becomes U+FFFD."""
        return Uint8Array(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode())


class TextDecoder:
    """Bytes to text.

    Args:
        label: the encoding.
        options: ``fatal``: refuse what is not valid; ``ignoreBOM``: keep a byte order mark.
        more: the same, by keyword.

    Raises:
        ValueError: there is no such encoding.
    """

    def __init__(self, label: str = "utf-8", options: dict[str, Any] | None = None, **more: Any) -> None:
        chosen = {**(options or {}), **more}
        try:
            "a".encode(label.strip())  # fails if the codec is not one of text
            self.encoding = codecs.lookup(label.strip()).name
        except LookupError:
            raise ValueError(f'"{label}" is not a valid encoding.') from None
        self.fatal = bool(chosen.get("fatal"))
        self.ignoreBOM = bool(chosen.get("ignoreBOM"))
        self._at_start = True
        self._restart()

    @classmethod
    def new(cls, label: str = "utf-8", options: dict[str, Any] | None = None, **more: Any) -> TextDecoder:
        """Make one."""
        return cls(label, options, **more)

    def decode(
        self, data: bytes | bytearray | memoryview = b"", options: dict[str, Any] | None = None, **more: Any
    ) -> str:
        """Return the text. With ``stream``, what ends within a character waits for the next call.

        Raises:
            TypeError: the bytes are not valid, and it is ``fatal``.
        """
        streams = bool({**(options or {}), **more}.get("stream"))
        try:
            text = self._decoder.decode(bytes(data), final=not streams)
        except UnicodeDecodeError:
            self._restart()
            raise TypeError("Failed to decode input.") from None
        if text and self._at_start:
            self._at_start = False
            text = text if self.ignoreBOM else text.removeprefix("\ufeff")
        if not streams:
            self._restart()
        return text

    def _restart(self) -> None:
        self._decoder = codecs.getincrementaldecoder(self.encoding)("strict" if self.fatal else "replace")
        self._at_start = True


def btoa(text: object) -> str:
    """Return the base64 of text whose characters stand for bytes.

    Raises:
        ValueError: one of them does not.
    """
    try:
        return base64.b64encode(str(text).encode("latin-1")).decode()
    except UnicodeEncodeError:
        raise ValueError(
            "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range."
        ) from None


def atob(text: object) -> str:
    """Return the bytes of base64 text, each as a character.

    Raises:
        ValueError: it is no base64.
    """
    data = _SPACE.sub("", str(text))
    stripped = data.rstrip("=") if len(data) % 4 == 0 else data
    valid = _BASE64.fullmatch(data) and "=" not in stripped and len(stripped) % 4 != 1
    try:
        if valid:
            return base64.b64decode(stripped + "=" * (-len(stripped) % 4)).decode("latin-1")
    except binascii.Error:
        pass  # the same complaint as for other text that is none
    raise ValueError(
        "atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and "
        "up to two terminal '=' signs when the input data length is divisible by 4 are allowed.)"
    )


def encodeURIComponent(text: object) -> str:  # noqa: N802 (JavaScript's name)
    """Return the text as a part of a URL."""
    return quote(str(text), safe=_COMPONENT_SAFE)


def encodeURI(text: object) -> str:  # noqa: N802 (JavaScript's name)
    """Return the text as a URL, whose own marks are left as they are."""
    return quote(str(text), safe=_URI_SAFE)


def decodeURIComponent(text: object) -> str:  # noqa: N802 (JavaScript's name)
    """Undo :func:`encodeURIComponent`.

    Raises:
        ValueError: it is malformed.
    """
    return _decoded(str(text))


def decodeURI(text: object) -> str:  # noqa: N802 (JavaScript's name)
    """Undo :func:`encodeURI`: what stands for a mark of a URL's own is left as it is.

    Raises:
        ValueError: it is malformed.
    """
    return _decoded(_OWN_MARK.sub("%25", str(text)))


def _decoded(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ValueError("URI malformed")
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("URI malformed") from None


def structuredClone(value: Any, options: Any = None) -> Any:  # noqa: N802 (JavaScript's name)
    """Return a deep copy, by the rules of stored values.

    Raises:
        TypeError: something in it can't be copied.
    """
    return decode_value(encode_value(value))
