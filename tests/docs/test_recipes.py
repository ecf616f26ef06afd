"""The programs in examples/ that are recipes of the guides are these recipes."""

from __future__ import annotations

import importlib.util

from ._pages import ROOT


def test_the_programs_are_the_recipes() -> None:
    specification = importlib.util.spec_from_file_location("recipes", ROOT / "scripts" / "recipes.py")
    assert specification is not None
    assert specification.loader is not None
    recipes = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(recipes)
    programs = dict(recipes.programs())
    written = {path: path.read_text(encoding="utf-8") for path in programs if path.exists()}
    assert written == programs, "run `python scripts/recipes.py`"
    found = {path for guide in recipes.GUIDES for path in (ROOT / "examples").glob(f"{guide}_*.py")}
    assert found == set(programs)
