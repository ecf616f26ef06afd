"""Writing small worker programs for tests."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from durabase.workers.config import Config, load_config

TOML = """
name = "app"
main = "index.py"
compatibility_date = "2025-01-01"
"""

ROOM = """
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"

[[migrations]]
tag = "v1"
new_classes = ["Room"]
"""


def write_program(directory: Path, program: str, toml: str = TOML, **others: str) -> Path:
    """Write the configuration, ``index.py``, and other modules by name."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "wrangler.toml").write_text(toml)
    for name, text in {"index": program, **others}.items():
        (directory / f"{name}.py").write_text(dedent(text))
    return directory


def program_config(directory: Path, program: str, toml: str = TOML, **others: str) -> Config:
    """Write a program and load its configuration."""
    return load_config(write_program(directory, program, toml, **others))[0]
