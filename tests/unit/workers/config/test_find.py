"""Which file a place leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from durabase.errors import ConfigError
from durabase.workers.config.find import CONFIG_NAMES, find_config


def touched(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.feature("M-CF-1")
def test_json_before_jsonc_before_toml(tmp_path: Path) -> None:
    assert CONFIG_NAMES == ("wrangler.json", "wrangler.jsonc", "wrangler.toml")
    for name in reversed(CONFIG_NAMES):
        path = touched(tmp_path / name)
        assert find_config(tmp_path) == path


@pytest.mark.parametrize("start", [".", "server", "client/src", "server/wrangler.toml"])
def test_a_project_is_found_from_all_over_it(tmp_path: Path, start: str) -> None:
    path = touched(tmp_path / "server" / "wrangler.toml")
    (tmp_path / "client" / "src").mkdir(parents=True)
    assert find_config(tmp_path / start) == path


def test_a_directory_s_own_file_goes_before_its_server_s_and_that_before_those_above(tmp_path: Path) -> None:
    above = touched(tmp_path / "wrangler.json")
    inner = tmp_path / "a"
    inner.mkdir()
    assert find_config(inner) == above
    servers = touched(inner / "server" / "wrangler.json")
    assert find_config(inner) == servers
    own = touched(inner / "wrangler.toml")
    assert find_config(inner) == own
    assert find_config(inner / "server") == servers


def test_any_file_that_is_named_is_it(tmp_path: Path) -> None:
    path = touched(tmp_path / "other.toml")
    touched(tmp_path / "wrangler.toml")
    assert find_config(path) == path


def test_a_directory_of_that_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "wrangler.json").mkdir()
    path = touched(tmp_path / "wrangler.toml")
    assert find_config(tmp_path) == path


def test_a_link_leads_to_where_the_file_is(tmp_path: Path) -> None:
    path = touched(tmp_path / "real" / "wrangler.toml")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert find_config(tmp_path / "link") == path


def test_none_found(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^No wrangler\.toml, .* or above it\. .*durabase new my-app$"):
        find_config(tmp_path)
    with pytest.raises(ConfigError, match=r"nowhere does not exist\. Name a configuration file"):
        find_config(tmp_path / "nowhere")
