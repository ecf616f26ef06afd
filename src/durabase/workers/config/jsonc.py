"""JSON with comments and trailing commas, as in wrangler.jsonc.

Comments and surplus commas are blanked out in place, so that positions in error messages
are those of the file.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["parse_jsonc"]

_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])')


def parse_jsonc(text: str) -> Any:
    """Return the value that ``text`` stands for.

    Raises:
        ValueError: not JSON; the message ends with line and column.
    """
    plain = _STRING_OR_COMMENT.sub(_blank_comment, text.removeprefix("\ufeff"))
    return json.loads(_STRING_OR_COMMA.sub(_blank_comma, plain), parse_constant=_refuse_constant)


def _blank_comment(match: re.Match[str]) -> str:
    found = match.group()
    return found if found[0] == '"' else re.sub(r"[^\n]", " ", found)


def _blank_comma(match: re.Match[str]) -> str:
    return match.group() if match.group() != "," else " "


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
