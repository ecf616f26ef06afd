"""The fields of an HTML form, and its two encodings on the wire.

Follows the Fetch standard's ``FormData`` with the manners of a Python mapping, as Cloudflare's
Python SDK has it: ``form[name]`` is the first value, ``keys``, ``values`` and ``items`` repeat.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl

from durabase._codec.strings import utf8
from durabase._names import js_names
from durabase.web.blob import Blob, File

__all__ = ["FormData", "FormValue", "parse_form"]

FormValue: TypeAlias = "str | Blob"

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@js_names
class FormData:
    """Fields in order; a name may repeat.

    Args:
        init: a mapping of names to values, or pairs.
    """

    __slots__ = ("_fields",)

    def __init__(self, init: Mapping[str, object] | Iterable[tuple[str, object]] | None = None) -> None:
        self._fields: list[tuple[str, FormValue]] = []
        for name, value in init.items() if isinstance(init, Mapping) else init or ():
            self.append(name, value)

    def append(self, name: str, value: object, filename: str | None = None) -> None:
        """Add a field; what is neither text nor a blob is turned into text."""
        self._fields.append((name, self._value(value, filename)))

    def set(self, name: str, value: object, filename: str | None = None) -> None:
        """Replace every value of ``name`` by this one, in the place of the first."""
        first = next((place for place, field in enumerate(self._fields) if field[0] == name), len(self))
        self.delete(name)
        self._fields.insert(first, (name, self._value(value, filename)))

    def delete(self, name: str) -> None:
        """Remove every value of ``name``, if there is any."""
        self._fields = [field for field in self._fields if field[0] != name]

    def get(self, name: str, default: FormValue | None = None) -> FormValue | None:
        """The first value of ``name``, or ``default``."""
        return next((value for key, value in self._fields if key == name), default)

    def get_all(self, name: str) -> list[FormValue]:
        """Every value of ``name``."""
        return [value for key, value in self._fields if key == name]

    def has(self, name: str) -> bool:
        """Whether there is such a field."""
        return name in self

    def keys(self) -> list[str]:
        """The names, as often as they have values."""
        return [name for name, _ in self._fields]

    def values(self) -> list[FormValue]:
        """The values."""
        return [value for _, value in self._fields]

    def items(self) -> list[tuple[str, FormValue]]:
        """``(name, value)`` of every field."""
        return list(self._fields)

    def encode(self) -> tuple[bytes, str]:
        """The form as ``multipart/form-data``, and the content type that says so."""
        boundary = "----durabase" + secrets.token_hex(16)
        parts = [_part(name, value, boundary) for name, value in self._fields]
        return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"

    @staticmethod
    def _value(value: object, filename: str | None) -> FormValue:
        if isinstance(value, File):
            return value if filename is None else File(value, filename, last_modified=value.last_modified)
        if isinstance(value, Blob):
            return File(value, "blob" if filename is None else filename)
        return value if isinstance(value, str) else str(value)

    def __getitem__(self, name: str) -> FormValue:
        for key, value in self._fields:
            if key == name:
                return value
        raise KeyError(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.delete(name)

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self._fields)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"FormData({self._fields!r})"


def _quoted(text: str) -> str:
    return _LINE_BREAK.sub("%0D%0A", text).replace('"', "%22")


def _part(name: str, value: FormValue, boundary: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
    if isinstance(value, str):
        return utf8(f"{head}\r\n\r\n{_LINE_BREAK.sub(chr(13) + chr(10), value)}\r\n")
    filename = _quoted(value.name if isinstance(value, File) else "blob")
    content_type = value.content_type or "application/octet-stream"
    head += f'; filename="{filename}"\r\nContent-Type: {content_type}\r\n\r\n'
    return utf8(head) + value.data + b"\r\n"


def parse_form(data: bytes, content_type: str) -> FormData:
    """The form that a body of this content type holds.

    Raises:
        ValueError: it is of no form's content type, or malformed.
    """
    kind, parameters = _parsed_header("content-type", content_type)
    if kind == "application/x-www-form-urlencoded":
        return FormData(parse_qsl(data.decode("utf-8", "replace"), keep_blank_values=True))
    if kind == "multipart/form-data" and parameters.get("boundary"):
        return _parse_multipart(data, parameters["boundary"].encode())
    raise ValueError(f"this body is no form: its content type is {content_type!r}")


def _parsed_header(name: str, value: str) -> tuple[str, dict[str, str]]:
    from email.message import Message  # here, for these are large modules that few programs need
    from email.utils import collapse_rfc2231_value

    message = Message()
    message[name] = value
    (kind, _), *parameters = message.get_params(failobj=[("", "")], header=name)
    return kind.lower(), {key: collapse_rfc2231_value(text) for key, text in parameters}


def _parse_multipart(data: bytes, boundary: bytes) -> FormData:
    form = FormData()
    delimiter = b"--" + boundary
    pieces = (b"\r\n" + data).split(b"\r\n" + delimiter)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("the multipart body has no closing boundary")
    for piece in pieces[1:-1]:
        _add_part(form, piece)
    return form


def _add_part(form: FormData, piece: bytes) -> None:
    head, blank_line, content = piece.partition(b"\r\n\r\n")
    if not blank_line:
        raise ValueError("a part of the multipart body has no blank line after its header")
    fields = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head.decode("utf-8", "replace").split("\r\n"))
    }
    _, disposition = _parsed_header("content-disposition", fields.get("content-disposition", ""))
    if "name" not in disposition:
        raise ValueError("a part of the multipart body has no name")
    name = _unquoted(disposition["name"])
    if "filename" not in disposition:
        form.append(name, content.decode("utf-8", "replace"))
        return
    file_type = fields.get("content-type", "application/octet-stream")
    form.append(name, File(content, _unquoted(disposition["filename"]), file_type))


def _unquoted(text: str) -> str:
    return text.replace("%22", '"').replace("%0D%0A", "\r\n")
