"""A project on disk: its configuration, its client if it has one, where its data is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.workers.config import Config, load_config
from durabase.workers.places import state_dir_of

__all__ = ["Project", "load_project", "open_project", "show_warnings"]


@dataclass(frozen=True, slots=True)
class Project:
    """What the serving commands need to know.

    ``client`` is the directory of the client's sources, ``others`` are the configurations of further workers;
    ``warnings`` and ``notes`` are about all of the configurations.
    """

    config: Config
    state_dir: Path
    client: Path | None
    others: tuple[Config, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What to call it."""
        return self.config.name or Path(self.config.directory).name


def open_project(options: ServeOptions, console: Console) -> Project:
    """Load the configurations that the options lead to, and say what they warn of.

    Raises:
        ConfigError: there is none, or one has errors.
    """
    project = load_project(options)
    show_warnings(project, console)
    return project


def load_project(options: ServeOptions) -> Project:
    """Load the configurations that the options lead to.

    Raises:
        ConfigError: there is none, or one has errors.
    """
    found = [load_config(place, options.environment) for place in (options.place, *options.others)]
    config, *others = [config for config, _ in found]
    directory = Path(config.directory)
    return Project(
        config.with_vars(options.variables),
        (options.persist_to or state_dir_of(config)).absolute(),
        _find_client(directory),
        tuple(others),
        tuple(text for _, diagnostics in found if (text := diagnostics.render_warnings())),
        tuple(note for _, diagnostics in found for note in diagnostics.all_notes()),
    )


def show_warnings(project: Project, console: Console) -> None:
    """Say what the configurations warn of."""
    for text in project.warnings:
        console.warning(text)
    for note in project.notes:
        console.dim(note)


def _find_client(directory: Path) -> Path | None:
    """Look for the client beside the ``server`` directory, else below that of the configuration."""
    places = [directory.parent / "client"] if directory.name == "server" else []
    for client in (*places, directory / "client"):
        if (client / "package.json").is_file() or (client / "dist" / "index.html").is_file():
            return client
    return None
