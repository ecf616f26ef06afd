"""The modules that Cloudflare's Python programs import, under the names they import them by.

An import finder ahead of all others, for exactly these names and only as long as a program is
loaded: an installed package of the same name (the SDK for editors) is not seen meanwhile and is
there again afterwards, a module of the program's own comes first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

__all__ = [
    "COMPAT_MODULES",
    "complaint",
    "install_compat_modules",
    "remove_compat_modules",
    "restore_unused_names",
]

_HERE = "durabase.workers.compat"
COMPAT_MODULES: Final = {
    "asgi": f"{_HERE}.asgi",
    "js": f"{_HERE}.js",
    "pyodide": f"{_HERE}.pyodide",
    "pyodide.code": f"{_HERE}.pyodide_code",
    "pyodide.ffi": f"{_HERE}.pyodide_ffi",
    "pyodide.http": f"{_HERE}.pyodide_http",
    "workers": f"{_HERE}.sdk",
    "workers.asgi": f"{_HERE}.asgi",
    "workers.blob": f"{_HERE}.sdk",
    "workers.entrypoints": f"{_HERE}.sdk",
    "workers.formdata": f"{_HERE}.sdk",
    "workers.gateway": f"{_HERE}.gateway",
    "workers.gateway.options": f"{_HERE}.gateway",
    "workers.request": f"{_HERE}.sdk",
    "workers.response": f"{_HERE}.sdk",
    "workers.rpc": f"{_HERE}.rpc_values",
    "workers.types": f"{_HERE}.sdk_types",
    "workers.utils": f"{_HERE}.sdk",
    "workers.workflows": f"{_HERE}.workflows",
    "workers.wsgi": f"{_HERE}.wsgi",
}
"""The names that programs import, and which of our modules each stands for."""

_PACKAGES = frozenset({"pyodide", "workers", "workers.gateway"})
_ROOTS = frozenset(name.partition(".")[0] for name in COMPAT_MODULES)


class _Mirror(Loader):
    """Fills a module with the public names of one of ours."""

    def __init__(self, source: str) -> None:
        self._source = source

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        source = importlib.import_module(self._source)
        for name in source.__all__:
            setattr(module, name, getattr(source, name))
        module.__doc__ = source.__doc__
        vars(module)["__all__"] = list(source.__all__)
        if hasattr(source, "__getattr__"):
            vars(module)["__getattr__"] = source.__getattr__


class _CompatFinder(MetaPathFinder):
    """Finds the names of :data:`COMPAT_MODULES` unless the program has a module of that name."""

    def __init__(self) -> None:
        self.program = Path()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        source = COMPAT_MODULES.get(fullname)
        if source is None or self._is_the_programs(fullname.partition(".")[0]):
            return None
        return ModuleSpec(fullname, _Mirror(source), origin=source, is_package=fullname in _PACKAGES)

    def _is_the_programs(self, name: str) -> bool:
        return (self.program / f"{name}.py").is_file() or (self.program / name / "__init__.py").is_file()


_finder = _CompatFinder()
_displaced: dict[str, ModuleType] = {}


def install_compat_modules(program: str) -> None:
    """Offer the modules to the program whose directory is given, and to no other."""
    _finder.program = Path(program)
    _forget_mirrors()
    for name in [name for name in sys.modules if name.partition(".")[0] in _ROOTS]:
        _displaced.setdefault(name, sys.modules.pop(name))
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def restore_unused_names() -> None:
    """Put back what was imported under names that the program, now that it is loaded, has not imported."""
    unused = [name for name in _displaced if name.partition(".")[0] not in sys.modules]
    for name in unused:
        sys.modules[name] = _displaced.pop(name)


def remove_compat_modules() -> None:
    """Offer them to nobody; what was imported under their names before is there again."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    _forget_mirrors()
    sys.modules.update(_displaced)
    _displaced.clear()


def _forget_mirrors() -> None:
    for name in COMPAT_MODULES:  # an earlier program's: this one may have a module of that name
        if isinstance(getattr(sys.modules.get(name), "__loader__", None), _Mirror):
            del sys.modules[name]


def complaint(module: str, name: str | None = None) -> str | None:
    """Say why a module, or ``name`` in it, is not offered; ``None`` if it is, or if it is none of these."""
    if module not in COMPAT_MODULES:
        return f"{module}: there is no such module here" if module.partition(".")[0] in _PACKAGES else None
    if name is None or name == "*" or f"{module}.{name}" in COMPAT_MODULES or name.startswith("__"):
        return None
    source = importlib.import_module(COMPAT_MODULES[module])
    if name in source.__all__:
        return None
    try:
        getattr(source, "__getattr__")(name)  # noqa: B009 (modules have none by default)
    except AttributeError as error:
        own = str(error)
    return own if own.startswith(f"{module}.") else f"{module}.{name}: there is no such name here"
