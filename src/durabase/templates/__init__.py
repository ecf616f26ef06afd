"""The project templates: an app with a client and a server, as files to copy.

A template is a working project by itself, called `my-app`: the demo serves it as it lies here, and a new
project is a copy with its own name put in. Knows nothing of how a project is run. What npm installs or builds
in a template's client is never copied; a built client travels in the wheel, for machines without Node.js.
"""

import re
import shutil
from pathlib import Path
from typing import Final

from durabase.errors import ConfigError

__all__ = ["create_project", "demo_server_dir", "prebuilt_client_dir", "template_dir"]

_TEMPLATE: Final = Path(__file__).parent / "react-ts"
_TEMPLATE_NAME: Final = "my-app"
_NAMED_FILES: Final = ("README.md", "client/index.html", "server/wrangler.toml")
_RENAMED_FILES: Final = {"gitignore": ".gitignore"}  # as .gitignore it would rule over the template itself
_NEVER_COPIED: Final = shutil.ignore_patterns("node_modules", "dist", "__pycache__", ".durabase")
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


def template_dir() -> Path:
    """The template's folder, which holds `client/`, `server/`, a README and a `gitignore`."""
    return _TEMPLATE


def demo_server_dir() -> Path:
    """The folder of the template's server: a wrangler configuration and its program, ready to serve."""
    return _TEMPLATE / "server"


def prebuilt_client_dir() -> Path | None:
    """The template's client as static files, or None where it has not been built."""
    built = _TEMPLATE / "client" / "dist"
    return built if (built / "index.html").is_file() else None


def create_project(name: str, parent: Path) -> Path:
    """Write the template as a project of its own into the new folder `parent/name`, without any network.

    Args:
        name: becomes the folder's, the app's and the Worker's name: lower-case ASCII letters, digits, and
            hyphens or underscores between them, at most 63 characters.
        parent: an existing folder.

    Returns:
        The project's folder.

    Raises:
        ConfigError: the name is not allowed, the folder exists already or cannot be written; then nothing is
            left behind that was not there before.
    """
    project = parent / _checked(name)
    if project.exists():
        raise ConfigError(f"{project} exists already: choose another name, or move it away")
    if not parent.is_dir():
        raise ConfigError(f"{parent} is not a folder to make {name} in")
    try:
        _write(project, name)
    except OSError as error:
        shutil.rmtree(project, ignore_errors=True)
        raise ConfigError(f"cannot write {project}: {error.strerror or error}") from error
    return project


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no project name: use a-z, 0-9, and - or _ between them, at most 63 characters, "
            f"like '{_TEMPLATE_NAME}'"
        )
    return name


def _write(project: Path, name: str) -> None:
    shutil.copytree(_TEMPLATE, project, ignore=_NEVER_COPIED, copy_function=shutil.copyfile)
    for stored, written in _RENAMED_FILES.items():
        (project / stored).rename(project / written)
    for path in _NAMED_FILES:
        file = project / path
        file.write_text(file.read_text("utf-8").replace(_TEMPLATE_NAME, name), "utf-8")
