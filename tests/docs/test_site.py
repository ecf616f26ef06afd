"""The documentation site: it builds without a warning, and its navigation and its links are whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from ._pages import PAGES, ROOT

DOCS = ROOT / "docs"


def built(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    options = ["-q", "-W", "--keep-going", "-b", "html", "-d", str(target / "doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(source), str(target / "html")]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site."""
    target = tmp_path_factory.mktemp("site")
    done = built(DOCS, target)
    assert (done.returncode, done.stderr) == (0, "")
    return target / "html"


class Links(HTMLParser):
    """Where a page leads to, and where in it one can be led to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.ids: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.add(value or "")
            elif name in ("href", "src") and value and ":" not in value:
                self.targets.add(value)


def broken_links(page: Path, pages: dict[Path, Links]) -> Iterator[str]:
    for target in pages[page].targets:
        path, _, anchor = unquote(target).partition("#")
        path = path.partition("?")[0]
        leads_to = (page.parent / path).resolve() if path else page
        if not leads_to.exists() or (anchor and anchor not in pages[leads_to].ids):
            yield target


def test_every_page_is_in_the_navigation(site: Path) -> None:
    expected = {str(page.relative_to(DOCS).with_suffix(".html")) for page in PAGES if DOCS in page.parents}
    assert expected - Links(site / "index.html").targets == {"index.html"}


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {page: Links(page) for page in site.rglob("*.html")}
    broken = {str(page.relative_to(site)): list(broken_links(page, pages)) for page in pages}
    assert {page: links for page, links in broken.items() if links} == {}


def test_a_link_to_nowhere_fails_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "conf.py").write_text((DOCS / "conf.py").read_text().replace('["_static"]', "[]"))
    (source / "index.md").write_text("# Page\n\n[There](nowhere.md)\n")
    done = built(source, tmp_path)
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr
