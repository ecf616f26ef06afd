"""Writes the recipes of the guides as programs into examples/, so that they can be copied and run.

`python scripts/recipes.py` writes them; a test compares them with the guides, so that they stay the same.
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[1]
GUIDES = {
    "mounting": ("FastAPI", "Starlette", "Litestar", "Django"),
    "auth": ("FastAPI", "Django", "Identity providers"),
}
_BLOCK = re.compile(r"^```py\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEAD = '''"""{title}: the recipe of docs/guides/{guide}.md, which explains it.

Copy it into your application, and there: uvicorn {module}:app
"""
'''
_NOTES = {"auth_django": "# ruff: noqa: E402 (Django wants to know its settings first)\n"}


def recipe(guide, title):
    """The code of a section of a guide."""
    page = (ROOT / "docs" / "guides" / f"{guide}.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return "\n\n".join(_BLOCK.findall(section))


def programs():
    """What each program has to be, by its path."""
    for guide, titles in GUIDES.items():
        for title in titles:
            module = f"{guide}_{title.lower().replace(' ', '_')}"
            head = _HEAD.format(title=title, guide=guide, module=module)
            code = f"{head}\n{_NOTES.get(module, '')}{recipe(guide, title)}"
            yield ROOT / "examples" / f"{module}.py", code


if __name__ == "__main__":
    for path, code in programs():
        path.write_text(code, encoding="utf-8")
