"""The types that the module ``workers`` exports for annotations."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from enum import StrEnum
from typing import Any, Literal, TypedDict

from durabase.web import Blob, File, FormData

__all__ = [
    "BlobEnding",
    "BlobValue",
    "Body",
    "FetchKwargs",
    "FormDataValue",
    "JSBody",
    "RequestInitCfProperties",
]


class BlobEnding(StrEnum):
    """What becomes of line ends in the text parts of a blob."""

    TRANSPARENT = "transparent"
    NATIVE = "native"


BlobValue = str | bytes | bytearray | memoryview | Blob
FormDataValue = str | Blob | File
JSBody = Any
Body = str | bytes | FormData | AsyncIterable[bytes] | None
RequestInitCfProperties = Mapping[str, Any]


class FetchKwargs(TypedDict, total=False):
    """The options of ``fetch``."""

    method: str
    headers: Mapping[str, str] | list[tuple[str, str]]
    body: Body
    redirect: Literal["follow", "manual", "error"]
    cf: RequestInitCfProperties
