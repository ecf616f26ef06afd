"""``durabase token``: keys, tokens, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.cli.main import main
from durabase.sync_server.access import Level
from durabase.sync_server.tokens import RoomTokens


def output(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["token", *arguments]) == 0
    return capsys.readouterr().out


def test_a_token_of_a_new_key(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(output(capsys, "--new-key"))
    made = output(capsys, "a", "b/*", "--level", "admin", "--for", "ann", "--key-file", str(keys)).strip()
    access = RoomTokens.from_text(keys.read_text()).verify(made, "b/c")
    assert (access.level, access.identity) == (Level.ADMIN, "ann")


def test_keys_may_stand_in_a_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = output(capsys, "--new-key")
    for name, options in (("ROOM_KEYS", ()), ("MINE", ("--key-env", "MINE"))):
        monkeypatch.setenv(name, key)
        made = output(capsys, "a", "--expires", "1d", *options).strip()
        assert RoomTokens.from_text(key).verify(made, "a").level is Level.WRITE
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "for some path"),
        (("a",), "no key: set ROOM_KEYS"),
        (("a", "--key-env", "SHORT"), "at least 32"),
    ],
)
def test_what_is_missing_is_said(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROOM_KEYS", raising=False)
    monkeypatch.setenv("SHORT", "a:secret")
    assert main(["token", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "secret" not in error


@pytest.mark.parametrize("text", ["", "1", "h", "0s", "-1h", "1.5h", "1w", "\u0661h!"])
def test_other_durations_are_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["token", "a", f"--expires={text}"])
    assert "is no duration" in capsys.readouterr().err
