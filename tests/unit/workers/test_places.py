"""Where data is kept unless told otherwise, and the secret of ids."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.workers.places import id_secret, state_dir_of

from .programs import program_config


def test_data_is_kept_beside_the_configuration(tmp_path: Path) -> None:
    config = program_config(tmp_path, "class Default: ...")
    assert state_dir_of(config) == tmp_path / ".durabase" / "state"


@pytest.mark.parametrize(("value", "secret"), [("s", "s"), ("", None), (None, None)])
def test_the_secret_comes_from_the_environment(
    value: str | None, secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DURABASE_ID_SECRET", raising=False)
    if value is not None:
        monkeypatch.setenv("DURABASE_ID_SECRET", value)
    assert id_secret() == secret
