"""Pages that guides show: taken out of the documentation, with the modules that they import."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from interop.clients._node import FOLDER, require_node

GUIDES = Path(__file__).parents[2] / "docs/guides"
PACKAGE = FOLDER / "node_modules/tinybase10"


def block(guide: str, language: str) -> str:
    """The first block of a guide in a language."""
    text = (GUIDES / guide).read_text("utf-8")
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def give_page(guide: str, folder: Path) -> None:
    """What a bundler would do: the page of a guide, as a client that is built."""
    require_node()
    page = block(guide, "html")
    imports = {}
    for name in re.findall(r"^ *import .* from '(.*)';$", page, re.MULTILINE):
        module = f"npm/{name}/index.js"
        (folder / module).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / name.removeprefix("tinybase").lstrip("/") / "index.js", folder / module)
        imports[name] = f"/{module}"
    import_map = f'<script type="importmap">{json.dumps({"imports": imports})}</script>'
    (folder / "index.html").write_text(import_map + page, encoding="utf-8")
