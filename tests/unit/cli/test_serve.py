"""Which client is served with a project."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from durabase.cli.console import Console
from durabase.cli.project import Project
from durabase.cli.serve import built_client_dir
from durabase.templates import prebuilt_client_dir
from durabase.workers.config import AssetsConfig, Config


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def project(client: Path | None = None, assets: Path | None = None) -> Project:
    config = Config(
        *("/p/wrangler.toml", "app", "/p/index.py"),
        assets=None if assets is None else AssetsConfig(str(assets)),
    )
    return Project(config, Path("/p/state"), client)


def chosen(project: Project, *, tell: bool = True) -> tuple[Path | None, str]:
    err = io.StringIO()
    return built_client_dir(project, Console(io.StringIO(), err), tell=tell), err.getvalue()


def test_the_client_that_was_built(tmp_path: Path) -> None:
    page = touched(tmp_path / "client" / "dist" / "index.html")
    assert chosen(project(tmp_path / "client", tmp_path)) == (page.parent, "")


@pytest.mark.parametrize("tell", [True, False])
def test_one_that_was_not_built_is_replaced_with_a_warning(tmp_path: Path, tell: bool) -> None:
    found, said = chosen(project(tmp_path / "client"), tell=tell)
    assert found == prebuilt_client_dir()
    assert (f"{tmp_path / 'client' / 'dist'} is not there: serving " in said) is tell
    assert bool(said) is tell


def test_assets_with_a_page_are_a_client_of_those_that_have_none(tmp_path: Path) -> None:
    assert chosen(project()) == (None, "")
    assert chosen(project(assets=tmp_path)) == (None, "")
    touched(tmp_path / "index.html")
    assert chosen(project(assets=tmp_path)) == (tmp_path, "")
