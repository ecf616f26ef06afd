"""The project templates: working projects, as files to copy.

Each is called `my-app` and has tests of its own: a new project is a copy with its own name put in, and the
demo serves `tinybase-react` as it lies here. Knows nothing of how a project is run. What npm installs or
builds in a client is never copied; a built client travels in the wheel, for machines without Node.js.
"""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from durabase.errors import ConfigError

__all__ = [
    "DEFAULT_TEMPLATE",
    "TEMPLATES",
    "Template",
    "create_project",
    "demo_server_dir",
    "prebuilt_client_dir",
    "template_dir",
]


@dataclass(frozen=True, slots=True)
class Template:
    """A template: the folder here, and what is where in a project made of it."""

    folder: str
    contents: Mapping[str, str]


TEMPLATES: Final[Mapping[str, Template]] = {
    "tinybase-react": Template(
        "react-ts",
        {
            "client/": "the app: Vite, React, TinyBase",
            "server/": "the Durable Object behind it: index.py, wrangler.toml",
            "tests/": "tests of the server",
        },
    ),
    "chat": Template(
        "chat",
        {
            "src/": "the chat rooms, index.py, and their page, chat.html",
            "tests/": "their tests",
            "wrangler.toml": "the configuration",
        },
    ),
    "counter": Template(
        "counter",
        {"src/": "the counters, index.py", "tests/": "their tests", "wrangler.toml": "the configuration"},
    ),
}
"""What a project can be made of, by name."""

DEFAULT_TEMPLATE: Final = "tinybase-react"

_FOLDER: Final = Path(__file__).parent
_TEMPLATE: Final = _FOLDER / "react-ts"
_TEMPLATE_NAME: Final = "my-app"
_NAMED_FILES: Final = (
    *("README.md", "client/index.html", "server/wrangler.toml"),
    *("wrangler.toml", "src/chat.html", "tests/test_chat.py"),
)
_RENAMED_FILES: Final = {"gitignore": ".gitignore"}  # as .gitignore it would rule over the template itself
_NEVER_COPIED: Final = shutil.ignore_patterns(
    "node_modules", "dist", "__pycache__", ".durabase", ".pytest_cache"
)
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")


def template_dir() -> Path:
    """The folder of `tinybase-react`, which holds `client/`, `server/`, a README and a `gitignore`."""
    return _TEMPLATE


def demo_server_dir() -> Path:
    """The folder of the template's server: a wrangler configuration and its program, ready to serve."""
    return _TEMPLATE / "server"


def prebuilt_client_dir() -> Path | None:
    """The template's client as static files, or None where it has not been built."""
    built = _TEMPLATE / "client" / "dist"
    return built if (built / "index.html").is_file() else None


def create_project(name: str, parent: Path, template: str = DEFAULT_TEMPLATE) -> Path:
    """Write a template as a project of its own into the new folder `parent/name`, without any network.

    Args:
        name: becomes the folder's, the app's and the Worker's name: lower-case ASCII letters, digits, and
            hyphens or underscores between them, at most 63 characters.
        parent: an existing folder.
        template: one of :data:`TEMPLATES`.

    Returns:
        The project's folder.

    Raises:
        ConfigError: the name is not allowed, there is no such template, the folder exists already or cannot
            be written; then nothing is left behind that was not there before.
    """
    project = parent / _checked(name)
    if template not in TEMPLATES:
        raise ConfigError(f"There is no template {template!r}. There are: {', '.join(TEMPLATES)}")
    if project.exists():
        raise ConfigError(f"{project} exists already: choose another name, or move it away")
    if not parent.is_dir():
        raise ConfigError(f"{parent} is not a folder to make {name} in")
    try:
        _write(_FOLDER / TEMPLATES[template].folder, project, name)
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


def _write(template: Path, project: Path, name: str) -> None:
    shutil.copytree(template, project, ignore=_NEVER_COPIED, copy_function=shutil.copyfile)
    for stored, written in _RENAMED_FILES.items():
        (project / stored).rename(project / written)
    for path in _NAMED_FILES:
        file = project / path
        if file.exists():
            file.write_text(file.read_text("utf-8").replace(_TEMPLATE_NAME, name), "utf-8")
