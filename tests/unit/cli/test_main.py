"""Parsing, and what becomes of errors."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from durabase.cli.console import Console
from durabase.cli.main import main
from durabase.cli.options import ServeOptions
from durabase.errors import ConfigError, ServerError


@pytest.fixture(name="called")
def catch_dev(monkeypatch: pytest.MonkeyPatch) -> list[ServeOptions]:
    called: list[ServeOptions] = []

    def dev(options: ServeOptions, console: Console) -> int:
        called.append(options)
        return 0

    monkeypatch.setattr("durabase.cli.dev.dev", dev)
    return called


def test_defaults(called: list[ServeOptions]) -> None:
    assert main(["dev"]) == 0
    assert called == [ServeOptions(place=Path())]


def test_all_options(called: list[ServeOptions]) -> None:
    arguments = (
        "dev project --port 0 --ip 0.0.0.0 --env staging --var A:1 --var B:x:y --persist-to data "
        "--no-client-dev --test-scheduled --idle-seconds 2.5 --max-value-bytes 1000000"
    )
    assert main(arguments.split()) == 0
    assert called == [
        ServeOptions(
            place=Path("project"),
            ip="0.0.0.0",  # noqa: S104
            port=0,
            environment="staging",
            variables={"A": "1", "B": "x:y"},
            persist_to=Path("data"),
            client_dev=False,
            test_scheduled=True,
            idle_seconds=2.5,
            max_value_bytes=1_000_000,
        )
    ]


def test_a_configuration_file_goes_before_a_directory(called: list[ServeOptions]) -> None:
    main(["dev", "--config", "a/wrangler.toml", "-c", "b/wrangler.toml"])
    assert called[0].place == Path("a/wrangler.toml")
    assert called[0].others == (Path("b/wrangler.toml"),)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("objects", "the following arguments are required: ACTION\nSee durabase objects --help."),
        ("fly", "invalid choice: 'fly'"),
        ("new", "the following arguments are required: NAME"),
        ("dev --port x", "invalid port value: 'x'"),
        ("dev --port 65536", "65536 is not between 0 and 65535"),
        ("dev --var A", "'A' is not of the form NAME:VALUE"),
        ("dev --max-value-bytes 0", "0 is not greater than 0"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: str, expected: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())
    assert caught.value.code == 2
    assert expected in capsys.readouterr().err


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "serve the demo app" in capsys.readouterr().err


def test_the_help_of_a_command_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["objects", "evict", "--help"])
    assert caught.value.code == 0
    assert "\nLet an object's instance go; data stay.\n" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"durabase {version('durabase')}\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("what is wrong"), 2),
        (ServerError("what is wrong"), 1),
        (OSError("what is wrong"), 1),
        (KeyboardInterrupt(), 0),
    ],
)
def test_exit_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: BaseException, code: int
) -> None:
    def dev(*arguments: Any) -> int:
        raise error

    monkeypatch.setattr("durabase.cli.dev.dev", dev)
    assert main(["dev"]) == code
    assert capsys.readouterr().err == ("" if code == 0 else "✘ [ERROR] what is wrong\n")


def test_an_old_python(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    assert main(["dev"]) == 1
    assert "durabase needs Python 3.11 or newer; this is 3.9.2" in capsys.readouterr().err


@pytest.mark.parametrize("missing", ["h11", "watchfiles"])
def test_what_serving_needs_is_not_installed(missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from durabase.cli.main import main; sys.exit(main(['dev']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == (
        f"✘ [ERROR] {missing} is missing. Install what serving needs: pip install 'durabase[server]'\n"
    )


def test_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "apps").mkdir()
    assert main(["new", "apps/my-pets"]) == 0
    assert "cd apps/my-pets && durabase dev" in capsys.readouterr().out
    assert 'name = "my-pets"' in (tmp_path / "apps" / "my-pets" / "server" / "wrangler.toml").read_text()
    assert main(["new", "apps/my-pets"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["new", "Not A Name"]) == 2


def test_choosing_a_command_loads_no_other() -> None:
    code = "import sys; from durabase.cli.main import main; main(['new', '/']); print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60
    )
    loaded = set(done.stdout.split())
    assert "durabase.cli.new" in loaded
    assert not {"asyncio", "durabase.workers", "durabase.server", "watchfiles"} & loaded
