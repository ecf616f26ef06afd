from __future__ import annotations

import io
import logging

import pytest

from durabase.cli.console import Console


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(out: io.StringIO) -> str:
    console = Console(out, out)
    console.info("ready")
    console.warning("hm")
    console.error("oh")
    console.dim("psst")
    console.line(console.bold("name"))
    return out.getvalue()


PLAIN = "[wrangler:info] ready\n▲ [WARNING] hm\n✘ [ERROR] oh\npsst\nname\n"


def test_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert said(io.StringIO()) == PLAIN
    assert "\x1b[36m[wrangler:info]\x1b[0m ready\n" in said(Terminal())
    monkeypatch.setenv("NO_COLOR", "")
    assert said(Terminal()) == PLAIN


def test_nobody_reads_any_more() -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Console(Broken(), Broken()).info("ready")


def test_what_is_logged_looks_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", logging.WARNING)
    text = io.StringIO()
    Console(text, text).take_over_logging()
    logging.getLogger("program").info("plain")
    logging.getLogger("program").warning("hm")
    logging.getLogger("program").error("oh")
    logging.getLogger("asyncio").info("noise")
    assert text.getvalue() == "plain\n▲ [WARNING] hm\n✘ [ERROR] oh\n"
