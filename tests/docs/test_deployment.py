"""The files of `deploy/` and the guide to production: every command in them is one that durabase takes."""

from __future__ import annotations

import configparser
import json
import re
import shlex

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
    assert "-HUP" in service["ExecReload"]
    assert f"/var/lib/{service['StateDirectory']}" in service["ExecStart"]


def test_the_image_serves_as_nobody_special_on_a_volume() -> None:
    steps = image()
    assert steps["USER"] == ["durabase"]
    assert steps["VOLUME"][0] in steps["CMD"][0]
    assert json.loads(steps["HEALTHCHECK"][0].partition("CMD ")[2])[0] == "python"
