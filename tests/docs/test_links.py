"""Every link of the documentation that does not leave it leads to a page, and to a heading of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ._pages import PAGES, name_of

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def prose_of(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def anchors_of(page: Path) -> set[str]:
    """What leads to the headings of a page, as GitHub forms it."""
    return {anchor_of(heading) for heading in re.findall(r"^#+ (.+)$", prose_of(page), flags=re.MULTILINE)}


def anchor_of(heading: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def broken_links(page: Path) -> Iterator[str]:
    for link in _LINK.findall(prose_of(page)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if ":" in path:
            continue
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A `heading`, with more\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Page\n[1](other.md) [2](other.md#a-heading-with-more) [3](other.md#none) [4](none.md)\n"
        "[5](#page) [6](https://elsewhere)\n```python\n[7](none)\n```\n"
    )
    assert list(broken_links(page)) == ["other.md#none", "none.md"]
