"""What ``durabase new`` says of the project that it has made."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from durabase.cli.console import Console
from durabase.cli.new import new
from durabase.errors import ConfigError
from durabase.templates import TEMPLATES


@pytest.mark.parametrize("template", list(TEMPLATES))
def test_what_is_there_and_what_is_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    (tmp_path / "apps").mkdir()
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    assert new("apps/my-app", template, Console(out, out)) == 0
    first, *contents, blank, last = out.getvalue().splitlines()
    assert (first, blank, last) == (
        *("  Created apps/my-app/", ""),
        "  Next:  cd apps/my-app && durabase dev",
    )
    assert [line.split(maxsplit=1) for line in contents] == [
        [place, what] for place, what in TEMPLATES[template].contents.items()
    ]
    for place in TEMPLATES[template].contents:
        assert (tmp_path / "apps" / "my-app" / place).exists()


def test_what_is_there_already(tmp_path: Path) -> None:
    out = io.StringIO()
    with pytest.raises(ConfigError):
        new(str(tmp_path), next(iter(TEMPLATES)), Console(out, out))
    assert out.getvalue() == ""
