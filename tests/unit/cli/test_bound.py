"""What a worker is bound to, a line for each name."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.cli.bound import Bound, bound, shown_path
from durabase.workers.config import (
    AssetsConfig,
    Config,
    DurableObjectBinding,
    KvBinding,
    ObjectClassConfig,
    ServiceBinding,
)


def test_everything_that_is_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = Config(
        *("/p/wrangler.toml", "app", "/p/index.py"),
        classes=(ObjectClassConfig("Room", "sqlite", "Room"), ObjectClassConfig("Log", "kv", "Log")),
        durable_objects=(
            *(DurableObjectBinding("ROOM", "Room"), DurableObjectBinding("LOG", "Log")),
            DurableObjectBinding("HALL", "Hall", "b"),
        ),
        kv_namespaces=(KvBinding("FOO", "abc"),),
        services=(ServiceBinding("B", "b", "Admin"), ServiceBinding("C", "c")),
        vars={"A": 1, "D": {"c": "d"}, "TOKEN": "open"},
        secrets={"TOKEN": "secret", "KEY": "secret"},
        assets=AssetsConfig(str(tmp_path / "public"), "ASSETS"),
        unsupported={"DB": "d1_databases"},
    )
    lines = [(each.kind, str(each)) for each in bound(config, {"b"})]
    assert lines == [
        ("Objects", "env.ROOM → Room (SQLite storage)"),
        ("Objects", "env.LOG → Log (key-value storage)"),
        ("Objects", "env.HALL → Hall (b)"),
        ("KV", "env.FOO → abc"),
        ("Service", "env.B → b (Admin)"),
        ("Service", "env.C → c (not running here)"),
        ("Assets", "env.ASSETS → public"),
        ("Var", "env.A = 1"),
        ("Var", 'env.D = {"c":"d"}'),
        ("Var", "env.TOKEN = (hidden)"),
        ("Secret", "env.KEY = (hidden)"),
        ("Missing", "env.DB → d1_databases (not supported here)"),
    ]


def test_assets_without_a_name_are_not_bound() -> None:
    config = Config("/p/wrangler.toml", "app", "/p/index.py", assets=AssetsConfig("/p/public"))
    assert list(bound(config, ())) == []


def test_a_bound_name_is_a_line() -> None:
    assert str(Bound("Secret", "A", "(hidden)")) == "env.A = (hidden)"


def test_paths_are_shown_as_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert shown_path(tmp_path / "here" / "a" / "b") == "a/b"
    assert shown_path(tmp_path / "here") == "."
    assert shown_path(tmp_path / "there") == str(tmp_path / "there")
