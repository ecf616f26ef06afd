"""Files as plain dicts: what is wrong is shown where it stands; and where secrets are kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.errors import ConfigError
from durabase.workers.config.raw import read_config, read_secrets


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_what_is_read(tmp_path: Path) -> None:
    assert read_config(written(tmp_path / "a.toml", "[a]\nb = 1")) == {"a": {"b": 1}}
    for name in ("a.json", "a.jsonc", "a"):
        assert read_config(written(tmp_path / name, '{"a": {"b": 1}} // so')) == {"a": {"b": 1}}


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
        read_config(written(tmp_path / name, text))


def test_no_object_is_shown_in_short(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(written(tmp_path / "a.json", f'["{"x" * 100}"]'))
    start = f"{tmp_path / 'a.json'}: expected an object of settings but found "
    assert str(caught.value) == start + '["' + "x" * 58


def test_the_end_of_an_empty_line_is_a_place_too(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a\.json:1:1: .*\n   1 \| \n     \| \^$"):
        read_config(written(tmp_path / "a.json", ""))


def test_what_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match=r"a\.toml is not UTF-8: invalid start byte at byte 8$"):
        read_config(tmp_path / "a.toml")
    with pytest.raises(ConfigError, match=r"b\.toml can't be read: No such file or directory$"):
        read_config(tmp_path / "b.toml")


@pytest.mark.feature("M-CF-5")
def test_secrets_of_an_environment_stand_alone(tmp_path: Path) -> None:
    assert read_secrets(tmp_path, None) == read_secrets(tmp_path, "e") == {}
    written(tmp_path / ".dev.vars", "A=all\nB=all\n")
    written(tmp_path / ".dev.vars.e", "A=e\n")
    written(tmp_path / ".env", "C=other\n")
    assert read_secrets(tmp_path, "e") == {"A": "e"}
    assert read_secrets(tmp_path, "f") == read_secrets(tmp_path, None) == {"A": "all", "B": "all"}


@pytest.mark.feature("M-CF-5")
def test_dotenv_files_where_there_is_no_dev_vars(tmp_path: Path) -> None:
    written(tmp_path / ".env", "A=1\nB=1\nC=1\nD=1\n")
    written(tmp_path / ".env.local", "B=2\nC=2\nD=2\n")
    written(tmp_path / ".env.e", "C=3\nD=3\n")
    written(tmp_path / ".env.e.local", "D=4\n")
    assert read_secrets(tmp_path, None) == {"A": "1", "B": "2", "C": "2", "D": "2"}
    assert read_secrets(tmp_path, "e") == {"A": "1", "B": "2", "C": "3", "D": "4"}
