"""A configuration as a whole: found, read, checked, and given its secrets."""

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
