"""A project on disk: its configuration, its client if it has one, where its data is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.workers.config import Config, load_config
from durabase.workers.places import state_dir_of

__all__ = ["Project", "open_project"]


@dataclass(frozen=True, slots=True)
class Project:
    """What the serving commands need to know.

    ``client`` is the directory of the client's sources, ``others`` are the configurations of further workers.
    """

    config: Config
    state_dir: Path
    client: Path | None
    others: tuple[Config, ...] = ()

    @property
    def name(self) -> str:
        """What to call it."""
        return self.config.name or Path(self.config.directory).name


def open_project(options: ServeOptions, console: Console, *, tell: bool = True) -> Project:
    """Load the configurations that the options lead to, and ``tell`` what they warn of.

    Raises:
        ConfigError: there is none, or one has errors.
    """
    config, *others = [
        _load(place, options, console if tell else None) for place in (options.place, *options.others)
    ]
    directory = Path(config.directory)
    state_dir = (options.persist_to or state_dir_of(config)).absolute()
    return Project(config.with_vars(options.variables), state_dir, _find_client(directory), tuple(others))


def _load(place: Path, options: ServeOptions, console: Console | None) -> Config:
    config, diagnostics = load_config(place, options.environment)
    if console is None:
        return config
    if warnings := diagnostics.render_warnings():
        console.warning(warnings)
    for note in diagnostics.all_notes():
        console.dim(note)
    return config


def _find_client(directory: Path) -> Path | None:
    """Look for the client beside the ``server`` directory, else below that of the configuration."""
    places = [directory.parent / "client"] if directory.name == "server" else []
    for client in (*places, directory / "client"):
        if (client / "package.json").is_file() or (client / "dist" / "index.html").is_file():
            return client
    return None
