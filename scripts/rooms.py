"""Writes the list of rooms in docs/architecture.md from the first lines of the modules' docstrings.

`python scripts/rooms.py` writes it; a test compares it with the page, so that the page stays true.
"""

import ast
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "durabase"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN = "<!-- rooms: written by scripts/rooms.py -->\n"
END = "<!-- end of rooms -->\n"
STOREYS = (
    (
        "Cellar",
        (
            "errors",
            "types",
            "clock",
            "_codec",
            "_collector",
            "_compiling",
            "_names",
            "_listeners",
            "_refusals",
        ),
    ),
    ("Data wing", ("store", "mergeable", "schematizers", "frames", "persisters", "synchronizers", "ui")),
    ("Runtime wing", ("web", "durable_objects", "workers", "server")),
    (
        "Landing, front door and the rest",
        ("sync_server", "templates", "operations", "inspector", "asgi", "cluster", "cli", "testing"),
    ),
)


def first_line(path):
    """The first sentence of a module's docstring; None if the module is empty."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    return docstring.partition("\n")[0] if docstring else None


def is_in_template(path):
    """Whether a file is part of a project template, not of the package."""
    folder, *rest = path.relative_to(SOURCES).parts
    return folder == "templates" and len(rest) > 1


def rooms_of(name):
    """`(module, responsibility)` for a top-level module or each module of a package."""
    single = SOURCES / f"{name}.py"
    paths = [single] if single.exists() else sorted((SOURCES / name).rglob("*.py"))
    for path in paths:
        line = first_line(path)
        if line and not is_in_template(path):
            module = path.relative_to(SOURCES).with_suffix("").as_posix().removesuffix("/__init__")
            yield module, line.replace("|", "\\|")


def rooms():
    """The whole list as Markdown."""
    lines = []
    for title, names in STOREYS:
        lines += [f"### {title}", "", "| Module | Responsibility |", "|---|---|"]
        lines += [f"| `{module}` | {line} |" for name in names for module, line in rooms_of(name)]
        lines.append("")
    return "\n".join(lines)


def page_with_rooms(page):
    """The page with its list of rooms written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + rooms() + END + after


if __name__ == "__main__":
    PAGE.write_text(page_with_rooms(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
