"""From the plain dict of a configuration file to a :class:`Config`: checks, defaults, environments.

Pure: opens no file. Errors, warnings and the rules of inheritance are those of wrangler 4.86,
as far as they touch what a self-hosted worker has; for the rest one note says that it is ignored.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from durabase.workers.config.bindings import (
    check_binding_names,
    kv_bindings,
    object_bindings,
    service_bindings,
)
from durabase.workers.config.classes import ClassExport, ClassTable, Migration, changes_to
from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.fields import Fields, shown
from durabase.workers.config.keys import CLOUD_ONLY, FLAGS, IGNORED, NOT_INHERITED, PRODUCTS
from durabase.workers.config.migrations import read_exports, read_migrations
from durabase.workers.config.model import (
    AssetsConfig,
    Config,
    DevConfig,
    DurableObjectBinding,
    HtmlHandling,
    NotFoundHandling,
)
from durabase.workers.config.own import idle_seconds
from durabase.workers.config.routes import read_routes
from durabase.workers.cron import CronSchedule

__all__ = ["normalise"]

_NAME = re.compile(r"[a-z0-9_][a-z0-9-_]*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HTML_HANDLING: tuple[HtmlHandling, ...] = (
    "auto-trailing-slash",
    "force-trailing-slash",
    "drop-trailing-slash",
    "none",
)
_NOT_FOUND_HANDLING: tuple[NotFoundHandling, ...] = ("single-page-application", "404-page", "none")


def normalise(raw: Mapping[str, Any], environment: str | None, path: str) -> tuple[Config, Diagnostics]:
    """Check ``raw``, the content of the file at the absolute ``path``, for one environment.

    Returns:
        The configuration, complete only if the diagnostics have no errors, and the diagnostics.
    """
    diagnostics = Diagnostics(f"Processing {os.path.basename(path)} configuration:")
    section, node = _section(raw, environment, diagnostics)
    merged = _merged(raw, section, environment)
    return _Normaliser(merged, section, environment or None, path, node).config(), diagnostics


def _warn_of_environments(raw: Mapping[str, Any], environment: str | None, diagnostics: Diagnostics) -> None:
    if environment is None and isinstance(raw.get("env"), dict) and raw["env"]:
        diagnostics.warning(
            "Multiple environments are defined, but no target environment was specified.\n"
            "Choose one with --env; for the top-level environment pass an empty string: --env="
        )


def _section(
    raw: Mapping[str, Any], environment: str | None, diagnostics: Diagnostics
) -> tuple[Mapping[str, Any], Diagnostics]:
    """Return the section of the environment, if one is chosen, and where its diagnostics go."""
    if not environment:
        _warn_of_environments(raw, environment, diagnostics)
        return {}, diagnostics
    environments = raw.get("env") or {}
    section = environments.get(environment) if isinstance(environments, dict) else None
    if not isinstance(section, dict):
        diagnostics.error(
            f'No environment found in configuration with name "{environment}".\n'
            f"The available configured environment names are: {shown(list(environments))}"
        )
        return {}, diagnostics
    node = diagnostics.child(f'"env.{environment}" environment configuration')
    _warn_of_missing(raw, section, environment, node)
    return section, node


def _merged(raw: Mapping[str, Any], section: Mapping[str, Any], environment: str | None) -> dict[str, Any]:
    """Lay the section of the environment over what it inherits."""
    if not environment:
        return dict(raw)
    merged = {key: value for key, value in raw.items() if key not in NOT_INHERITED} | dict(section)
    if "name" not in section and isinstance(raw.get("name"), str):
        merged["name"] = f"{raw['name']}-{environment}"
    return merged


def _warn_of_missing(
    raw: Mapping[str, Any], section: Mapping[str, Any], environment: str, node: Diagnostics
) -> None:
    for key in raw:
        if key in NOT_INHERITED and key not in section:
            node.warning(
                f'"{key}" exists at the top level, but not on "env.{environment}".\n'
                f'This is not what you probably want, since "{key}" is not inherited by environments.\n'
                f'Please add "{key}" to "env.{environment}".'
            )
    here, there = raw.get("vars"), section.get("vars")
    if isinstance(here, dict) and isinstance(there, dict):
        for name in [name for name in here if name not in there]:
            node.warning(
                f'"vars.{name}" exists at the top level, but not on "env.{environment}.vars".\n'
                'This is not what you probably want, since "vars" configuration is not inherited by '
                f'environments.\nPlease add "vars.{name}" to "env.{environment}".'
            )


class _Normaliser:
    """Reads one merged configuration, key by key."""

    def __init__(
        self,
        merged: Mapping[str, Any],
        section: Mapping[str, Any],
        environment: str | None,
        path: str,
        diagnostics: Diagnostics,
    ) -> None:
        self._fields = Fields(merged, "", diagnostics)
        self._section = section
        self._merged = merged
        self._environment = environment
        self._path = path
        self._diagnostics = diagnostics

    def config(self) -> Config:
        """Read everything; what is wrong is in the diagnostics, its default in the result."""
        fields = self._fields
        name = self._name()
        bindings = object_bindings(fields, name)
        kv_namespaces, services = kv_bindings(fields), service_bindings(fields)
        variables, assets = fields.mapping("vars"), self._assets()
        check_binding_names(
            {
                "Durable Object": [binding.name for binding in bindings],
                "KV Namespace": [binding.name for binding in kv_namespaces],
                "Service": [binding.name for binding in services],
                "Assets": [assets.binding] if assets is not None and assets.binding is not None else [],
                "Environment Variable": list(variables),
            },
            self._diagnostics,
        )
        table, migrations, exports = self._classes(bindings)
        config = Config(
            path=self._path,
            name=name,
            main=self._main(),
            environment=self._environment,
            compatibility_date=self._compatibility_date(),
            compatibility_flags=self._compatibility_flags(),
            durable_objects=bindings,
            kv_namespaces=kv_namespaces,
            services=services,
            classes=tuple(table.classes.values()),
            migrations=migrations,
            exports=exports,
            vars=variables,
            assets=assets,
            routes=read_routes(fields),
            dev=self._dev(),
            crons=self._crons(),
            unsupported=self._unsupported(),
            idle_seconds=idle_seconds(fields),
        )
        self._ignored()
        return config

    def _name(self) -> str:
        value = self._fields.raw("name")
        if value is None:
            return ""
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        self._diagnostics.error(
            'Expected "name" to be of type string, alphanumeric and lowercase with dashes only '
            f"but got {shown(value)}."
        )
        return ""

    def _main(self) -> str:
        main = self._fields.string("main")
        if main is None:
            if not self._fields.has("main"):
                self._diagnostics.error(
                    'Missing entry-point: "main" must name the Python file of the worker.'
                )
            return ""
        if not main.endswith(".py"):
            self._diagnostics.error(
                f'The entry-point "{main}" is not a Python file. Workers of durabase are written in Python: '
                'set "main" to a .py file.'
            )
        return self._absolute(main)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(os.path.dirname(self._path), path))

    def _compatibility_date(self) -> str | None:
        value = self._fields.raw("compatibility_date")
        if value is None:
            self._diagnostics.warning('No "compatibility_date" is set; the newest behaviour is used.')
            return None
        text = value.isoformat() if isinstance(value, date) else value
        if isinstance(text, str) and _DATE.fullmatch(text) and _is_date(text):
            return text
        self._diagnostics.error(
            '"compatibility_date" field should be a valid ISO-8601 date (YYYY-MM-DD), '
            f"but got {shown(value)}."
        )
        return None

    def _compatibility_flags(self) -> tuple[str, ...]:
        flags = self._fields.strings("compatibility_flags")
        unknown = [flag for flag in flags if not FLAGS.fullmatch(flag)]
        if unknown:
            self._diagnostics.warning(
                f'"compatibility_flags": {shown(unknown)} of no effect here: only flags that are about '
                "Python or Durable Objects are known."
            )
        return flags

    def _classes(
        self, bindings: tuple[DurableObjectBinding, ...]
    ) -> tuple[ClassTable, tuple[Migration, ...], tuple[ClassExport, ...]]:
        """Read what becomes of the classes, and add those that are bound only."""
        table, fields = ClassTable(), self._fields
        migrations = read_migrations(fields.tables("migrations"), table)
        exports = read_exports(fields.table("exports"), table)
        if migrations and exports:
            self._diagnostics.error('Expected at most one of the following fields ["migrations","exports"].')
        bound = dict.fromkeys(binding.class_name for binding in bindings if binding.script_name is None)
        missing = [class_name for class_name in bound if class_name not in table.classes]
        deleted = {export.class_name for export in exports if export.state == "deleted"}
        for class_name in missing:
            if class_name in table.created or class_name in deleted:
                self._diagnostics.error(
                    f"Cannot apply --delete-class migration to class {class_name} without also removing the "
                    "binding that references it"
                )
        if missing:
            self._warn_of_no_migration(missing)
        implicit = tuple(ClassExport(class_name, "kv") for class_name in missing)
        for change in changes_to(implicit, table.classes):
            table.apply(change)
        return table, migrations, exports + implicit

    def _warn_of_no_migration(self, missing: list[str]) -> None:
        names = ", ".join(missing)
        listed = ", ".join(f'"{class_name}"' for class_name in missing)
        snippet = f'[[migrations]]\ntag = "v1"\nnew_classes = [ {listed} ]'
        if not self._path.endswith(".toml"):
            snippet = f'"migrations": [{{ "tag": "v1", "new_classes": [{listed}] }}]'
        self._diagnostics.warning(
            f"You have configured `durable_objects` exported by this Worker ({names}), but no `migrations` "
            "for them.\nThey get key-value storage. To say so, or to choose SQLite storage "
            f"(new_sqlite_classes), add:\n\n{snippet}\n"
        )

    def _assets(self) -> AssetsConfig | None:
        if not self._fields.has("assets"):
            return None
        table = self._fields.table("assets")
        directory = table.required_string("directory")
        assets = AssetsConfig(
            self._absolute(directory or ""),
            table.string("binding"),
            table.choice("html_handling", _HTML_HANDLING, "auto-trailing-slash"),
            table.choice("not_found_handling", _NOT_FOUND_HANDLING, "none"),
            self._run_worker_first(table),
        )
        table.warn_unexpected()
        return assets

    def _run_worker_first(self, table: Fields) -> bool | tuple[str, ...]:
        value = table.raw("run_worker_first")
        if value is None or isinstance(value, bool):
            return bool(value)
        if isinstance(value, list) and all(isinstance(pattern, str) for pattern in value):
            return tuple(value)
        self._diagnostics.error(
            'The field "assets.run_worker_first" should be an array of strings or a boolean, '
            f"but got {shown(value)}."
        )
        return False

    def _dev(self) -> DevConfig:
        table = self._fields.table("dev")
        default = DevConfig()
        port = table.integer("port", default.port)
        if not 0 <= port <= 65535:
            table.error(f'"port" should be between 0 and 65535 but got {port}.')
        dev = DevConfig(table.string("ip") or default.ip, port)
        table.warn_unexpected("inspector_port", "inspector_ip", "local_protocol", "upstream_protocol", "host")
        return dev

    def _crons(self) -> tuple[str, ...]:
        table = self._fields.table("triggers")
        crons = table.strings("crons")
        for cron in crons:
            try:
                CronSchedule(cron)
            except ValueError as error:
                table.error(f'"crons": {error}.')
        table.warn_unexpected()
        return crons

    def _unsupported(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for key in self._merged:
            if key in PRODUCTS and self._fields.has(key):
                names = _binding_names(self._fields.raw(key))
                found |= dict.fromkeys(names, key)
                used = f": env.{', env.'.join(names)} will raise an error when used" if names else ""
                self._diagnostics.warning(f'"{key}" is not supported here{used}.')
        return found

    def _ignored(self) -> None:
        present = [key for key in self._merged if key in CLOUD_ONLY]
        if present:
            names = ", ".join(f'"{key}"' for key in present)
            self._diagnostics.note(f"{names}: of use on Cloudflare only, ignored here.")
        known, own = (*CLOUD_ONLY, *IGNORED), self._section.keys()
        self._fields.warn_unexpected(*known, of=self._merged.keys() - own)
        self._fields.warn_unexpected(*known, place=f"env.{self._environment}", of=own)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _binding_names(value: Any) -> list[str]:
    """Find the binding names of a product, whose entries are a list, or one table, or tables of lists."""
    if isinstance(value, list):
        return [name for item in value for name in _binding_names(item)]
    if not isinstance(value, dict):
        return []
    if isinstance(name := value.get("binding", value.get("name")), str):
        return [name]
    return [name for item in value.values() if isinstance(item, list) for name in _binding_names(item)]
