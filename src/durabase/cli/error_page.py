"""The page that a browser is shown in development for what the program raised."""

from __future__ import annotations

import html

__all__ = ["error_page"]

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif;
    color: light-dark(#16242b, #e4ecef); background: light-dark(#f2f5f7, #0f1518); }}
  body {{ margin: 0 auto; padding: 2.5rem clamp(1rem, 4vw, 2.5rem); max-width: 68rem; }}
  h1 {{ margin: 0; font-size: 1.4rem; overflow-wrap: anywhere; color: light-dark(#b3261e, #ff9d94); }}
  p {{ margin: 0.25rem 0 1.5rem; color: light-dark(#54656e, #9db0b9); overflow-wrap: anywhere; }}
  pre {{ margin: 0; padding: 1.25rem; overflow: auto; font: 0.85rem/1.55 ui-monospace, monospace;
    background: light-dark(#ffffff, #192226); border: 1px solid light-dark(#dde4e8, #2c383e);
    border-radius: 0.9rem; }}
</style>
<h1>{title}</h1>
<p>{request}</p>
<pre>{details}</pre>
</html>
"""


def error_page(title: str, request: str, details: str) -> str:
    """Return the page as HTML.

    Args:
        title: the error, in a line.
        request: what was asked for, in a line.
        details: its traceback.
    """
    return _PAGE.format(title=html.escape(title), request=html.escape(request), details=html.escape(details))
