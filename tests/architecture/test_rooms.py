"""docs/architecture.md names every module that there is, with the responsibility that it states itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_lists_the_rooms_as_they_are() -> None:
    specification = importlib.util.spec_from_file_location("rooms", ROOT / "scripts" / "rooms.py")
    assert specification is not None
    assert specification.loader is not None
    rooms = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(rooms)
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert page == rooms.page_with_rooms(page), "run `python scripts/rooms.py`"


def test_every_top_level_name_has_a_storey() -> None:
    text = (ROOT / "scripts" / "rooms.py").read_text(encoding="utf-8")
    names = {path.stem for path in (ROOT / "src" / "durabase").iterdir() if path.name != "py.typed"}
    assert [
        name for name in sorted(names - {"__init__", "__main__", "__pycache__"}) if f'"{name}"' not in text
    ] == []
