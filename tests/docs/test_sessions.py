"""The sessions of pages give what the pages say."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from ._pages import PAGES, ROOT, name_of
from ._sessions import MARKER, Session

WITH_SESSIONS = [page for page in PAGES if MARKER in page.read_text(encoding="utf-8").splitlines()]
NODE_PACKAGES = ROOT / "tests/interop/clients/node_modules"
PROVIDED = {"tinybase": "tinybase10", "ws": "ws"}
"""What programs of pages for Node import: installed under which name."""


@pytest.mark.parametrize("page", WITH_SESSIONS, ids=name_of)
def test_the_session_of_a_page(page: Path, tmp_path: Path) -> None:
    packages = tmp_path / "node_modules"
    packages.mkdir()
    for name, installed in PROVIDED.items():
        (packages / name).symlink_to(NODE_PACKAGES / installed)
    with closing(Session(tmp_path)) as session:
        session.play(page.read_text(encoding="utf-8"))


def test_what_is_not_so_is_found(tmp_path: Path) -> None:
    with closing(Session(tmp_path)) as session:
        session.play("<!-- file: a.txt -->\n```text\none\n```\n```console\n$ cat a.txt\none\n```\n")
        with pytest.raises(AssertionError, match=r"cat a\.txt"):
            session.play("```console\n$ cat a.txt\ntwo\n```\n")
