"""What follows from a configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from durabase.workers.config.classes import ObjectClassConfig
from durabase.workers.config.model import Config

CONFIG = Config(path="/project/server/wrangler.toml", name="app", main="/project/server/src/index.py")


def test_places() -> None:
    assert CONFIG.directory == "/project/server"
    assert CONFIG.import_root == "/project/server/src"


def test_the_key_of_ids_is_that_of_the_worker_and_the_name_at_creation() -> None:
    own = ObjectClassConfig("Room", "sqlite", "Hall")
    assert CONFIG.unique_key(own) == "app-Hall"
    assert CONFIG.unique_key(replace(own, original_worker="other")) == "other-Hall"


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize(
    ("day", "flags", "compresses"),
    [
        (None, (), True),
        (None, ("no_web_socket_compression",), False),
        ("2023-08-14", (), False),
        ("2023-08-15", (), True),
        ("2023-08-14", ("web_socket_compression",), True),
        ("2026-04-07", ("no_web_socket_compression",), False),
    ],
)
def test_compression_is_a_matter_of_date_and_flags(
    day: str | None, flags: tuple[str, ...], compresses: bool
) -> None:
    config = replace(CONFIG, compatibility_date=day, compatibility_flags=flags)
    assert config.compresses_web_sockets is compresses


def test_variables_of_the_command_line_override_all() -> None:
    config = replace(CONFIG, vars={"A": "var", "C": 1}).with_secrets({"A": "secret", "B": "secret"})
    changed = config.with_vars({"A": "given"})
    assert (changed.vars, changed.secrets) == ({"A": "given", "C": 1}, {"B": "secret"})
    assert (config.vars["A"], config.secrets["A"]) == ("var", "secret")


def test_secrets_are_those_that_are_given() -> None:
    assert CONFIG.with_secrets({"A": "1"}).with_secrets({"B": "2"}).secrets == {"B": "2"}
