"""What the command line asks for, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = ["ServeOptions"]


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options that ``dev``, ``serve`` and ``demo`` share. ``None`` means: as configured, or the default.

    ``place`` is a project, a directory that holds a configuration or lies below one, or the
    configuration file itself. ``others`` are such places of further workers. ``admin`` is the address for
    administrators, if there is to be one. ``processes`` is how many share the objects, each started with
    ``arguments``, those of the command line; ``None``: this one has them.
    """

    place: Path
    others: tuple[Path, ...] = ()
    ip: str | None = None
    port: int | None = None
    environment: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    persist_to: Path | None = None
    client_dev: bool = True
    test_scheduled: bool = False
    idle_seconds: float = 10.0
    watchdog_seconds: float = 1.0
    max_value_bytes: int = 131_072
    is_strict: bool = False
    history_days: float | None = None
    durability: Literal["full", "normal", "off"] = "full"
    delete_classes: bool = True
    admin: tuple[str, int] | None = None
    log_format: Literal["text", "json"] = "text"
    opentelemetry: bool = False
    origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    connections_per_address: int | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    processes: int | None = None
    arguments: tuple[str, ...] = field(default=(), compare=False)
