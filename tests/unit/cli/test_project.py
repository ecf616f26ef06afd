"""Projects on disk: configurations, where data is kept, and the client if there is one."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from durabase.cli.console import Console
from durabase.cli.options import ServeOptions
from durabase.cli.project import load_project, open_project, show_warnings
from durabase.errors import ConfigError

TOML = 'name = "app"\nmain = "index.py"\ncompatibility_date = "2026-01-01"\n'


def written(directory: Path, toml: str = TOML) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "index.py").touch()
    (directory / "wrangler.toml").write_text(toml)
    return directory


def test_a_plain_project(tmp_path: Path) -> None:
    project = load_project(ServeOptions(written(tmp_path / "p")))
    assert (project.name, project.client, project.others, project.warnings, project.notes) == (
        *("app", None, ()),
        *((), ()),
    )
    assert project.state_dir == tmp_path / "p" / ".durabase" / "state"


def test_without_a_name_it_is_called_like_its_directory(tmp_path: Path) -> None:
    toml = TOML.replace('name = "app"\n', "")
    assert load_project(ServeOptions(written(tmp_path / "p", toml))).name == "p"


def test_what_the_options_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    toml = TOML + '[env.staging.vars]\nA = "staging"\nB = "b"\n'
    written(tmp_path / "p", toml)
    options = ServeOptions(
        Path("p"),
        environment="staging",
        variables={"A": "given"},
        persist_to=Path("data"),
    )
    project = load_project(options)
    assert project.config.vars == {"A": "given", "B": "b"}
    assert (project.name, project.state_dir) == ("app-staging", tmp_path / "data")


def test_several_workers_and_what_is_said_of_them(tmp_path: Path) -> None:
    first = written(tmp_path / "a", TOML + "bogus = 1\nlogpush = true\n")
    second = written(tmp_path / "b", TOML.replace("app", "b") + "odd = 1\n")
    out, err = io.StringIO(), io.StringIO()
    project = open_project(ServeOptions(first, others=(second,), variables={"A": "1"}), Console(out, err))
    assert [config.name for config in project.others] == ["b"]
    assert (project.config.vars, project.others[0].vars) == ({"A": "1"}, {})
    assert len(project.warnings) == 2
    assert 'top-level field: "bogus"' in err.getvalue()
    assert 'top-level field: "odd"' in err.getvalue()
    assert out.getvalue() == '"logpush": of use on Cloudflare only, ignored here.\n'


def test_nothing_is_said_where_nothing_is_wrong(tmp_path: Path) -> None:
    out = io.StringIO()
    show_warnings(load_project(ServeOptions(written(tmp_path))), Console(out, out))
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("server", "client", "is_found"),
    [
        ("server", "client/package.json", True),
        ("server", "client/dist/index.html", True),
        ("server", "server/client/package.json", True),
        (".", "client/package.json", True),
        ("other", "client/package.json", False),
        (".", "client/index.html", False),
    ],
)
def test_the_client(tmp_path: Path, server: str, client: str, is_found: bool) -> None:
    file = tmp_path / client
    file.parent.mkdir(parents=True)
    file.touch()
    found = load_project(ServeOptions(written(tmp_path / server))).client
    directory = next(parent for parent in file.parents if parent.name == "client")
    assert found == (directory if is_found else None)


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_project(ServeOptions(tmp_path / "nowhere"))
