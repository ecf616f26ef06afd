"""Finding, reading and checking files."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.errors import ConfigError
from durabase.workers.config import load_config

TOML = 'name = "app"\nmain = "index.py"\ncompatibility_date = "2025-01-01"\n'


def project(directory: Path, text: str = TOML, name: str = "wrangler.toml") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "index.py").touch()
    (directory / name).write_text(text)
    return directory


@pytest.mark.feature("M-CF-1")
def test_json_before_jsonc_before_toml(tmp_path: Path) -> None:
    project(tmp_path)
    assert load_config(tmp_path)[0].name == "app"
    project(tmp_path, '{"name": "jsonc", "main": "index.py",}', "wrangler.jsonc")
    assert load_config(tmp_path)[0].name == "jsonc"
    project(tmp_path, '{"name": "json", "main": "index.py"}', "wrangler.json")
    assert load_config(tmp_path)[0].name == "json"


@pytest.mark.parametrize("start", [".", "server", "client/src", "server/wrangler.toml"])
def test_a_project_is_found_from_all_over_it(tmp_path: Path, start: str) -> None:
    project(tmp_path / "server")
    (tmp_path / "client" / "src").mkdir(parents=True)
    config, _ = load_config(tmp_path / start)
    assert config.path == str(tmp_path / "server" / "wrangler.toml")


def test_none_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="durabase new my-app"):
        load_config(tmp_path)
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "wrangler.toml",
            "name = \n",
            r"wrangler\.toml:1:8: Invalid .*\n   1 \| name = \n     \|        \^$",
        ),
        ("wrangler.toml", "a = 1\nb = [", r"wrangler\.toml:2:6: .*\n   2 \| b = \[\n     \|      \^$"),
        ("wrangler.toml", "a", r"wrangler\.toml:1:2: .*\n   1 \| a\n     \|  \^$"),
        ("wrangler.toml", "a = 1\na = 2", r"wrangler\.toml:2:6: Cannot overwrite a value\n"),
        (
            "wrangler.json",
            '{\n"name" 1}',
            r"wrangler\.json:2:8: .*\n   2 \| .name. 1\}\n     \|        \^$",
        ),
        ("wrangler.json", "[1]", "expected an object of settings but found"),
        ("wrangler.json", "[" * 100_000, r"wrangler\.json: "),
    ],
)
def test_wrong_syntax(tmp_path: Path, name: str, text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_config(project(tmp_path, text, name))


def test_not_utf_8(tmp_path: Path) -> None:
    (project(tmp_path) / "wrangler.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_config(tmp_path)


def test_files_that_are_named_have_to_exist(tmp_path: Path) -> None:
    project(tmp_path, TOML.replace("index.py", "src/main.py") + '[assets]\ndirectory = "public"\n')
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path)
    assert 'The entry-point file at "src/main.py" was not found.' in str(caught.value)
    assert str(tmp_path / "public") in str(caught.value)


@pytest.mark.feature("M-CF-5")
def test_secrets_override_vars_and_are_chosen_by_environment(tmp_path: Path) -> None:
    project(tmp_path, TOML + '[vars]\nA = "var"\n[env.e]\nvars = {}\n[env.f]\nvars = {}\n')
    (tmp_path / ".dev.vars").write_text("A=secret\n")
    (tmp_path / ".dev.vars.e").write_text("B=only\n")
    assert load_config(tmp_path, "")[0].secrets == {"A": "secret"}
    assert load_config(tmp_path, "e")[0].secrets == {"B": "only"}
    assert load_config(tmp_path, "f")[0].secrets == {"A": "secret"}


@pytest.mark.feature("M-CF-5")
def test_dotenv_files_where_there_is_no_dev_vars(tmp_path: Path) -> None:
    project(tmp_path, TOML + "[env.e]\n")
    (tmp_path / ".env").write_text("A=1\nB=1\nC=1\n")
    (tmp_path / ".env.local").write_text("B=2\n")
    (tmp_path / ".env.e").write_text("C=3\n")
    assert load_config(tmp_path, "")[0].secrets == {"A": "1", "B": "2", "C": "1"}
    assert load_config(tmp_path, "e")[0].secrets == {"A": "1", "B": "2", "C": "3"}
    (tmp_path / ".dev.vars").write_text("A=4\n")
    assert load_config(tmp_path, "e")[0].secrets == {"A": "4"}


def test_variables_of_the_command_line_override_all(tmp_path: Path) -> None:
    project(tmp_path, TOML + '[vars]\nA = "var"\n')
    (tmp_path / ".dev.vars").write_text("A=secret\nB=secret\n")
    config = load_config(tmp_path)[0].with_vars({"A": "given"})
    assert (config.vars, config.secrets) == ({"A": "given"}, {"B": "secret"})
