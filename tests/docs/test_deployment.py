"""The files of `deploy/` and the guide to production: every command in them is one that durabase takes."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from durabase.cli.main import parser

from ._pages import ROOT

DEPLOY = ROOT / "deploy"
GUIDE = ROOT / "docs" / "guides" / "production.md"


def unit() -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, strict=False)  # an option may come twice
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read(DEPLOY / "durabase.service")
    return parsed


def image() -> dict[str, list[str]]:
    lines = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    steps = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return {name: [rest for step, rest in steps if step == name] for name, _ in steps}


def commands() -> list[list[str]]:
    shown = [
        line
        for block in re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.S)
        for line in block.splitlines()
    ]
    parts = [part.strip() for line in shown for part in line.split("&&")]
    found = [shlex.split(part) for part in parts if part.startswith("durabase ")]
    return [*found, shlex.split(unit()["Service"]["ExecStart"]), json.loads(image()["CMD"][0])]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_commands_are_understood(command: list[str]) -> None:
    assert command[0].rpartition("/")[2] == "durabase"
    parser().parse_args(command[1:])


def test_the_unit_reloads_and_keeps_data_where_it_may_write() -> None:
    service = unit()["Service"]
    assert service["Type"] == "notify"
    assert "-HUP" in service["ExecReload"]
    assert f"/var/lib/{service['StateDirectory']}" in service["ExecStart"]


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units, as if the program were where they say."""
    assert shutil.which("systemd-analyze"), "needs systemd-analyze: apt-get install systemd"
    for name in ("durabase.service", "durabase.socket"):
        text = (DEPLOY / name).read_text().replace("/srv/app/.venv/bin/durabase", "/bin/true")
        (tmp_path / name).write_text(text)
    return [str(tmp_path / "durabase.service"), str(tmp_path / "durabase.socket")]


def test_systemd_understands_the_units(installed: list[str]) -> None:
    done = subprocess.run(["systemd-analyze", "verify", *installed], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_thinks_the_service_well_confined(installed: list[str]) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", installed[0]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_socket_is_where_the_proxies_look_for_it() -> None:
    listens = re.findall(r"^ListenStream=(.*)$", (DEPLOY / "durabase.socket").read_text(), re.M)
    assert listens == ["127.0.0.1:8787"]
    for proxy in ("nginx.conf", "Caddyfile"):
        assert listens[0] in (DEPLOY / proxy).read_text()


def test_the_image_serves_as_nobody_special_on_a_volume() -> None:
    steps = image()
    assert steps["USER"] == ["10001:10001"]
    assert "--uid 10001 --gid 10001" in steps["RUN"][0]
    assert steps["VOLUME"][0] in steps["CMD"][0]
    assert json.loads(steps["HEALTHCHECK"][0].partition("CMD ")[2])[0] == "python"
