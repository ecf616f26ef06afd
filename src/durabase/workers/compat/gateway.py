"""The module ``workers.gateway``: the options that the adapters of ASGI and WSGI have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

__all__ = ["BaseOptions", "EncodeBody"]

EncodeBody = Literal["automatic", "manual"]


@dataclass(frozen=True, kw_only=True)
class BaseOptions:
    """Options of a call of an application.

    Attributes:
        encode_body: taken, and without effect: bodies are passed on as the application made them.

    Raises:
        ValueError: ``encode_body`` is neither of its two values.
    """

    encode_body: EncodeBody = "automatic"

    def __post_init__(self) -> None:
        if self.encode_body not in get_args(EncodeBody):
            raise ValueError(f"encode_body must be one of {get_args(EncodeBody)}, got {self.encode_body!r}")
