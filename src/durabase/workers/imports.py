"""How a program's own modules come into this process, and leave it again when the program is loaded anew.

A program is *installed* while its code is imported and used: its directory leads ``sys.path``, or
follows it for a program that is there beside the main one. What is imported from there is always
compiled from source, so that an edit within the second that a bytecode file records can't go unseen.
Knows nothing of workers.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import ModuleType

__all__ = ["ProgramImports"]

_FOREIGN = frozenset({"site-packages", "node_modules", "python_modules"})


class _FreshLoader(SourceFileLoader):
    """Compiles from source, reading and writing no bytecode files."""

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError("bytecode is not used")


class ProgramImports:
    """The modules of the program in one directory.

    Args:
        root: where the program's imports start from.
        packages: further directories to import from, not part of the program.
    """

    def __init__(self, root: Path, packages: Iterable[Path] = ()) -> None:
        self._root = root
        self._paths = [str(root), *(str(path) for path in packages)]
        self._removed: dict[str, ModuleType] = {}

    def install(self, *, behind: bool = False) -> None:
        """Let imports see the program; modules that it had when it was last removed are back.

        With ``behind``, other modules of the same names come first.
        """
        if behind:
            sys.path.extend(self._paths)
        else:
            sys.path[:0] = self._paths
        sys.path_hooks.insert(0, self._path_hook)
        self._forget_finders()
        for name in [name for name in self._removed if not (behind and name in sys.modules)]:
            sys.modules[name] = self._removed.pop(name)

    def remove(self) -> None:
        """Undo :meth:`install`. Code that is in use stays so; new imports don't find it."""
        own = self._own()
        for name in own:
            del sys.modules[name]
        self._removed |= own
        for path in self._paths:
            sys.path.remove(path)
        sys.path_hooks.remove(self._path_hook)
        self._forget_finders()

    def mentions(self, word: str) -> bool:
        """Whether ``word`` stands in the source of any module of the program that is imported."""
        files = (getattr(module, "__file__", None) for module in self._own().values())
        return any(word in Path(file).read_text("utf-8") for file in files if file and file.endswith(".py"))

    def import_file(self, path: Path) -> ModuleType:
        """Import the file in the program's directory under the name that it has there.

        Raises:
            ImportError: a module of another origin has that name.
        """
        name = path.stem
        if name in sys.modules:
            raise ImportError(f"a module named {name!r} exists already; give {path.name} another name")
        return importlib.import_module(name)

    def _path_hook(self, directory: str) -> FileFinder:
        if not self._contains(Path(directory)):
            raise ImportError(f"{directory} is not part of the program")
        return FileFinder(
            directory, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_FreshLoader, SOURCE_SUFFIXES)
        )

    def _own(self) -> dict[str, ModuleType]:
        return {name: module for name, module in list(sys.modules.items()) if self._owns(name, module)}

    def _owns(self, name: str, module: ModuleType) -> bool:
        if name == "__main__" or name.partition(".")[0] == "durabase":
            return False
        places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
        return any(self._contains(Path(place)) for place in places if place)

    def _contains(self, path: Path) -> bool:
        if not path.is_relative_to(self._root):
            return False
        parts = path.relative_to(self._root).parts
        return not any(part in _FOREIGN or part.startswith(".") for part in parts)

    def _forget_finders(self) -> None:
        for directory in list(sys.path_importer_cache):
            if Path(directory).is_relative_to(self._root):
                del sys.path_importer_cache[directory]
        importlib.invalidate_caches()
