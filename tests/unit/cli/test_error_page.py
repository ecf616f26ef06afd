"""The page for errors."""

from __future__ import annotations

import pytest

from durabase.cli.error_page import error_page


@pytest.mark.feature("M-DX-3")
def test_what_it_shows_is_text() -> None:
    page = error_page("KeyError: '<x>'", "GET http://host/?a=1&b", "Traceback\n  <module>")
    assert "<title>KeyError: &#x27;&lt;x&gt;&#x27;</title>" in page
    assert "<h1>KeyError: &#x27;&lt;x&gt;&#x27;</h1>" in page
    assert "<p>GET http://host/?a=1&amp;b</p>" in page
    assert "<pre>Traceback\n  &lt;module&gt;</pre>" in page
