"""The validated configuration: plain immutable values, every default filled in, every path absolute.

Knows nothing of how a configuration is written or found.
"""

from __future__ import annotations

import os.path
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from durabase.workers.config.classes import ClassExport, Migration, ObjectClassConfig
from durabase.workers.config.routes import Route

__all__ = [
    "AssetsConfig",
    "Config",
    "DevConfig",
    "DurableObjectBinding",
    "HtmlHandling",
    "KvBinding",
    "NotFoundHandling",
    "ServiceBinding",
]

HtmlHandling = Literal["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"]
NotFoundHandling = Literal["none", "404-page", "single-page-application"]

_COMPRESSION = "web_socket_compression"
_COMPRESSION_SINCE = "2023-08-15"


@dataclass(frozen=True, slots=True)
class DurableObjectBinding:
    """``env.<name>`` is the namespace of the objects of ``class_name``.

    ``script_name`` is the worker whose class it is, ``None`` for the worker itself.
    """

    name: str
    class_name: str
    script_name: str | None = None


@dataclass(frozen=True, slots=True)
class KvBinding:
    """``env.<name>`` is the key-value namespace ``id``."""

    name: str
    id: str


@dataclass(frozen=True, slots=True)
class ServiceBinding:
    """``env.<name>`` is the class ``entrypoint`` of the worker ``service``, which is given ``props``."""

    name: str
    service: str
    entrypoint: str = "Default"
    props: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AssetsConfig:
    """Static files beside the worker: an absolute ``directory``, and the name on ``env`` if there is one.

    ``run_worker_first`` may have the paths for which that is so: ``*`` stands for anything, those that
    begin with ``!`` are exceptions.
    """

    directory: str
    binding: str | None = None
    html_handling: HtmlHandling = "auto-trailing-slash"
    not_found_handling: NotFoundHandling = "none"
    run_worker_first: bool | tuple[str, ...] = False


@dataclass(frozen=True, slots=True)
class DevConfig:
    """Where the server listens unless the command line says otherwise."""

    ip: str = "127.0.0.1"
    port: int = 8787


@dataclass(frozen=True, slots=True)
class Config:
    """A worker as configured, for one environment.

    ``classes`` are the namespaces that exist after all migrations, ``exports`` has what is declared of
    classes, those included that are bound without a word; ``unsupported`` maps the binding names of
    products that are not there to the key that configures them; ``idle_seconds`` has, by class, how long
    objects are quiet before they sleep.
    """

    path: str
    name: str
    main: str
    environment: str | None = None
    compatibility_date: str | None = None
    compatibility_flags: tuple[str, ...] = ()
    durable_objects: tuple[DurableObjectBinding, ...] = ()
    kv_namespaces: tuple[KvBinding, ...] = ()
    services: tuple[ServiceBinding, ...] = ()
    classes: tuple[ObjectClassConfig, ...] = ()
    migrations: tuple[Migration, ...] = ()
    exports: tuple[ClassExport, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    assets: AssetsConfig | None = None
    dev: DevConfig = DevConfig()
    crons: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    unsupported: Mapping[str, str] = field(default_factory=dict)
    idle_seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def directory(self) -> str:
        """The directory of the configuration file."""
        return os.path.dirname(self.path)

    @property
    def import_root(self) -> str:
        """The directory that the program's imports start from: that of ``main``."""
        return os.path.dirname(self.main)

    @property
    def compresses_web_sockets(self) -> bool:
        """Whether messages are compressed for clients that offer it: a flag, and the default since a date."""
        if _COMPRESSION in self.compatibility_flags:
            return True
        date = self.compatibility_date
        is_default = date is None or date >= _COMPRESSION_SINCE
        return is_default and f"no_{_COMPRESSION}" not in self.compatibility_flags

    def unique_key(self, object_class: ObjectClassConfig) -> str:
        """Return the key that ids of the class are derived from, as wrangler forms it."""
        return f"{object_class.original_worker or self.name}-{object_class.original_name}"

    def with_vars(self, extra: Mapping[str, Any]) -> Config:
        """Return a copy whose ``vars`` are overridden by ``extra``."""
        secrets = {name: value for name, value in self.secrets.items() if name not in extra}
        return replace(self, vars={**self.vars, **extra}, secrets=secrets)

    def with_secrets(self, secrets: Mapping[str, str]) -> Config:
        """Return a copy with these secrets, which override ``vars`` of the same name."""
        return replace(self, secrets=dict(secrets))
