"""Compiles the modules that decide about speed when a wheel is built, if there is a C compiler.

With ``DURABASE_COMPILE=1`` it has to be done, with ``DURABASE_COMPILE=0`` it is not. The compiler is mypyc,
the language stays Python: the same files run uncompiled, with equal results, where there is no compiler. Not
compiled is what users derive classes from, for compiled classes can't be, and what mostly runs generators,
which gain nothing. In what is compiled a ``float`` is a double only; what may be either says ``int | float``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMPILED = """
_codec/ids _codec/limits _codec/numbers _codec/order _codec/reading _codec/strings _codec/writing
_collector _listeners clock types
durable_objects/gates durable_objects/hibernation durable_objects/storage/entries
durable_objects/storage/keys durable_objects/storage/namespace_database durable_objects/storage/shared
durable_objects/storage/engine durable_objects/storage/shared_table durable_objects/storage/writes
mergeable/_diffs mergeable/_journal mergeable/_merge mergeable/_merging mergeable/_pieces mergeable/_receiving
mergeable/_shapes mergeable/_stamping mergeable/_validate mergeable/hashes mergeable/hlc mergeable/stamps
persisters/_access persisters/_auto_save persisters/_queue persisters/_status persisters/_stored_stamps
server/bridge server/frames server/outbox server/traffic server/websocket
store/_cells store/_changes store/_content store/_edits store/_hooks store/_kinds store/_notify
store/_schema store/_setting store/_sorting store/_transaction store/_validation
sync_server/_full_answer sync_server/_gathering sync_server/_inbox sync_server/_outcomes sync_server/_passing
sync_server/_peer sync_server/_pulls
synchronizers/_deadlines
synchronizers/protocol/messages synchronizers/protocol/payloads synchronizers/protocol/relay
synchronizers/protocol/session
web/connection web/structured_clone
"""

SETUP = """
import sys

from mypyc.build import mypycify
from setuptools import setup

options = ["--python-version=3.11", "--ignore-missing-imports", "--follow-imports=silent"]
extensions = mypycify([*options, *{files!r}], opt_level="3", debug_level="0", group_name="durabase")
if sys.platform != "win32":  # else the library's own functions could be replaced from outside: slower
    for extension in extensions:
        extension.extra_compile_args.append("-fvisibility=hidden")
setup(name="durabase", package_dir={{"": "src"}}, packages=[], ext_modules=extensions)
"""


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds the compiled modules beside their sources."""

    _folder: str | None = None

    def _is_wanted(self, version: str) -> bool:
        asked = os.environ.get("DURABASE_COMPILE")
        return version != "editable" and (asked == "1" or (asked is None and _has_compiler()))

    def dependencies(self) -> list[str]:
        """What the build needs besides Hatchling."""
        return ["mypy>=2", "orjson", "setuptools"] if self._is_wanted("standard") else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and tell Hatchling where the results belong."""
        if not self._is_wanted(version):
            return
        self._folder = tempfile.mkdtemp()
        try:
            compiled = self._compile(Path(self._folder))
        except subprocess.CalledProcessError:
            if os.environ.get("DURABASE_COMPILE") == "1":
                raise
            self.app.display_warning("durabase is not compiled: the compiler failed. It works, slower.")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for built in compiled:
            build_data["force_include"][str(built)] = str(built.relative_to(Path(self._folder) / "built"))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave nothing behind."""
        if self._folder is not None:
            shutil.rmtree(self._folder)

    def _compile(self, folder: Path) -> list[Path]:
        """The extension modules, at their places below ``folder / "built"``."""
        shutil.copytree(Path(self.root) / "src", folder / "src", ignore=shutil.ignore_patterns("react-ts"))
        files = [f"src/durabase/{name}.py" for name in COMPILED.split()]
        (folder / "setup.py").write_text(SETUP.format(files=files))
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", "built"]
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "MYPYPATH": "src"})
        return sorted(path for path in (folder / "built").rglob("*") if path.suffix in (".so", ".pyd"))


def _has_compiler() -> bool:
    """Whether C can be compiled against this Python."""
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return shutil.which(str(compiler).split()[0]) is not None and header.exists()
