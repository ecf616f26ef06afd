"""The reference is complete: every public name of the data wing is there, every section has an example."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from ._pages import ROOT, blocks_of, name_of, sections_of

REFERENCE = ROOT / "docs" / "reference"
PAGE_OF = {
    "durabase.store": "store.md",
    "durabase.mergeable": "mergeable_store.md",
    "durabase.mergeable.hashes": "mergeable_store.md",
    "durabase.persisters": "persisters.md",
    "durabase.synchronizers": "synchronizers.md",
    "durabase.synchronizers.blocking": "blocking.md",
    "durabase.sync_server": "sync_server.md",
    "durabase.schematizers": "schematizers.md",
    "durabase.clock": "clock.md",
    "durabase.errors": "errors.md",
    "durabase.types": "types.md",
    "durabase.testing": "testing.md",
}
PAGES = sorted(REFERENCE.glob("*.md"))
WITHOUT_EXAMPLES = {"index.md"}


def documented_on(page: Path) -> set[str]:
    """What stands in backquotes in headings and in the first columns of tables, without arguments."""
    text = page.read_text(encoding="utf-8")
    places = re.findall(r"^#+ (.+)$|^\| (.+?) \|", text, flags=re.MULTILINE)
    names = re.findall(r"`([^`]+)`", " ".join(heading + cell for heading, cell in places))
    return {re.split(r"[(\[ ]", name)[0] for name in names}


def public_methods(cls: type) -> set[str]:
    """The methods that a class has from us, beyond those that its documented bases have."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith("durabase.")]
    methods = {
        name for base in ours for name, thing in vars(base).items() if inspect.isroutine(_function(thing))
    }
    bases = [base for base in ours[1:] if base.__name__ in ("Store", "Persister", "Synchronizer")]
    return {name for name in methods if not name.startswith("_")}.difference(*(dir(base) for base in bases))


def _function(thing: object) -> object:
    return thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing


def our_classes(module_name: str) -> list[type]:
    module = import_module(module_name)
    things = [getattr(module, name) for name in module.__all__]
    return [thing for thing in things if isinstance(thing, type) and thing.__module__.startswith("durabase.")]


@pytest.mark.parametrize("module_name", PAGE_OF)
def test_every_public_name_is_on_its_page(module_name: str) -> None:
    public = set(import_module(module_name).__all__)
    assert public - documented_on(REFERENCE / PAGE_OF[module_name]) == set()


def test_every_name_of_the_package_is_on_some_page() -> None:
    documented = set().union(*(documented_on(page) for page in PAGES))
    assert set(import_module("durabase").__all__) - documented == set()


@pytest.mark.parametrize("module_name", PAGE_OF)
def test_every_method_of_a_public_class_is_on_its_page(module_name: str) -> None:
    documented = documented_on(REFERENCE / PAGE_OF[module_name])
    missing = {
        f"{cls.__name__}.{name}"
        for cls in our_classes(module_name)
        for name in public_methods(cls)
        if name not in documented
    }
    assert missing == set()


@pytest.mark.parametrize("page_name", sorted(set(PAGE_OF.values())))
def test_nothing_is_documented_that_is_not_there(page_name: str) -> None:
    known = set(import_module("durabase").__all__)
    for module_name in (name for name, page in PAGE_OF.items() if page == page_name):
        known.update(import_module(module_name).__all__)
        known.update(*(dir(cls) for cls in our_classes(module_name)))
    documented = {name for name in documented_on(REFERENCE / page_name) if name.isidentifier()}
    assert documented - known == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_section_has_an_example(page: Path) -> None:
    if page.name in WITHOUT_EXAMPLES:
        return
    without = [heading for heading, text in sections_of(page) if not blocks_of(page, text)]
    assert without == []


def test_the_index_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([a-z_]+\.md)\)", (REFERENCE / "index.md").read_text(encoding="utf-8")))
    assert linked == {page.name for page in PAGES} - {"index.md"}
