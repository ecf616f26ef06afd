"""The first lines."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from durabase.cli.banner import show_banner
from durabase.cli.console import Console
from durabase.cli.project import Project
from durabase.workers.config import (
    Config,
    DurableObjectBinding,
    KvBinding,
    ObjectClassConfig,
    ServiceBinding,
)
from durabase.workers.config.model import AssetsConfig

URL = "http://127.0.0.1:8787/"

INSPECTOR = "Inspect http://127.0.0.1:8787/_durabase/ for this machine only"


def shown(project: Project, command: str = "dev", client: str | None = None) -> list[str]:
    out = io.StringIO()
    show_banner(Console(out, out), command, project, URL, client)
    return [" ".join(line.split()) for line in out.getvalue().splitlines() if line.strip()]


@pytest.fixture(name="project")
def make_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    path = str(tmp_path / "app")
    config = Config(f"{path}/wrangler.toml", "app", f"{path}/index.py")
    return Project(config, tmp_path / "state", None)


def test_a_program_without_bindings(project: Project) -> None:
    title, *facts = shown(project)
    assert title.startswith("durabase dev · app version ")
    assert facts == [INSPECTOR, "Program app/index.py"]
    assert INSPECTOR not in shown(project, "serve")


def test_everything_that_is_bound(project: Project, tmp_path: Path) -> None:
    config = replace(
        project.config,
        classes=(ObjectClassConfig("Room", "sqlite", "Room"),),
        durable_objects=(DurableObjectBinding("ROOM", "Room"), DurableObjectBinding("HALL", "Hall", "b")),
        kv_namespaces=(KvBinding("FOO", "abc"),),
        services=(ServiceBinding("B", "b", "Admin"), ServiceBinding("C", "c")),
        vars={"A": 1, "B": {"c": "d"}, "TOKEN": "open"},
        assets=AssetsConfig(str(tmp_path / "public"), "ASSETS"),
        unsupported={"DB": "d1_databases"},
        secrets={"TOKEN": "secret", "KEY": "secret"},
        crons=("* * * * *", "0 0 * * *"),
    )
    other = Config(str(Path("b/wrangler.toml").absolute()), "b", str(Path("b/other.py").absolute()))
    assert shown(replace(project, config=config, others=(other,)), client="built client")[1:] == [
        "App http://127.0.0.1:8787/ built client",
        INSPECTOR,
        "Program app/index.py",
        "Objects env.ROOM → Room (SQLite storage)",
        "Objects env.HALL → Hall (b)",
        "KV env.FOO → abc",
        "Service env.B → b (Admin)",
        "Service env.C → c (not running here)",
        "Assets env.ASSETS → public",
        "Var env.A = 1",
        'Var env.B = {"c":"d"}',
        "Var env.TOKEN = (hidden)",
        "Secret env.KEY = (hidden)",
        "Missing env.DB → d1_databases (not supported here)",
        "Crons * * * * *, 0 0 * * * (UTC)",
        "Worker b b/other.py",
        "Data state",
    ]


def test_the_demo_says_what_to_open(project: Project) -> None:
    title, *facts = shown(project, "demo", "built client")
    assert title.startswith("durabase demo version ")
    assert facts == ["Open http://127.0.0.1:8787/ in two browsers, and edit in either", INSPECTOR]
