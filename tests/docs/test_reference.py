"""The reference is complete: every public name is there, every section has an example."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import durabase
from durabase._names import snake_case
from durabase.workers.compat.finder import COMPAT_MODULES

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
    "durabase.frames": "frames.md",
    "durabase.ui": "ui.md",
    "durabase.ui.components": "ui.md",
    "durabase.ui.widget": "live_table.md",
    "durabase.clock": "clock.md",
    "durabase.errors": "errors.md",
    "durabase.types": "types.md",
    "durabase.testing": "testing.md",
    "durabase.web": "web.md",
    "durabase.durable_objects": "durable_objects.md",
    "durabase.durable_objects.storage": "storage.md",
    "durabase.workers": "workers.md",
    "durabase.workers.bindings.kv": "workers.md",
    "durabase.workers.bindings.services": "workers.md",
    "durabase.workers.config": "runtime.md",
    "durabase.workers.facts": "runtime.md",
    "durabase.workers.loader": "runtime.md",
    "durabase.workers.runtime": "runtime.md",
    "durabase.asgi": "asgi.md",
    "durabase.server": "server.md",
    "durabase.server.origins": "server.md",
}
OUR_OWN = {"durabase._codec", "durabase.templates", "durabase.workers.typings"}
"""Packages that are for ourselves."""

CLOUDFLARE_MODULES = "cloudflare_modules.md"
PAGES = sorted(REFERENCE.glob("*.md"))
WITHOUT_EXAMPLES = {"index.md", "cli.md"}  # those of the command line are sessions


def documented_on(page: Path) -> set[str]:
    """What stands in backquotes in headings and in the first columns of tables, without arguments."""
    return documented_in(page.read_text(encoding="utf-8"))


def documented_in(text: str) -> set[str]:
    places = re.findall(r"^#+ (.+)$|^\| (.+?) \|", text, flags=re.MULTILINE)
    names = re.findall(r"`([^`]+)`", " ".join(heading + cell for heading, cell in places))
    return {re.split(r"[(\[ ]", name)[0].rpartition(".")[2] for name in names}


def public_members(cls: type) -> set[str]:
    """The methods and properties that a class has from us, beyond those that its documented bases have."""
    ours = [base for base in cls.__mro__ if base.__module__.startswith("durabase.")]
    members = {name for base in ours for name, thing in vars(base).items() if _is_member(thing)}
    bases = [base for base in ours[1:] if base.__name__ in ("Store", "Persister", "Synchronizer")]
    return {name for name in members if not name.startswith("_")}.difference(*(dir(base) for base in bases))


def _is_member(thing: object) -> bool:
    function = thing.__func__ if isinstance(thing, classmethod | staticmethod) else thing
    return inspect.isroutine(function) or isinstance(function, property)


def classes_of(module_name: str) -> list[type]:
    module = import_module(module_name)
    things = [getattr(module, name) for name in module.__all__]
    return [thing for thing in things if isinstance(thing, type) and thing.__module__.startswith("durabase.")]


def is_at_home(cls: type, module_name: str) -> bool:
    """Whether a class is described with this module, and not where it was imported from."""
    homes = [name for name in PAGE_OF if f"{cls.__module__}.".startswith(f"{name}.")]
    return not homes or PAGE_OF[max(homes, key=len)] == PAGE_OF[module_name]


def test_every_package_has_its_page() -> None:
    names = (module.name for module in walk_packages(durabase.__path__, "durabase.") if module.ispkg)
    with_names = {name for name in names if hasattr(import_module(name), "__all__")}
    assert with_names - OUR_OWN - set(PAGE_OF) == set()


@pytest.mark.parametrize("module_name", PAGE_OF)
def test_every_public_name_is_on_its_page(module_name: str) -> None:
    public = set(import_module(module_name).__all__)
    assert public - documented_on(REFERENCE / PAGE_OF[module_name]) == set()


def test_every_name_of_the_package_is_on_some_page() -> None:
    documented = set().union(*(documented_on(page) for page in PAGES))
    assert set(import_module("durabase").__all__) - documented == set()


@pytest.mark.parametrize("module_name", PAGE_OF)
def test_every_member_of_a_public_class_is_on_its_page(module_name: str) -> None:
    documented = documented_on(REFERENCE / PAGE_OF[module_name])
    missing = {
        f"{cls.__name__}.{name}"
        for cls in classes_of(module_name)
        if is_at_home(cls, module_name)
        for name in public_members(cls)
        if not {name, snake_case(name)} & documented  # a member has both names, one of them is enough
    }
    assert missing == set()


@pytest.mark.parametrize("page_name", sorted(set(PAGE_OF.values())))
def test_nothing_is_documented_that_is_not_there(page_name: str) -> None:
    known = set(import_module("durabase").__all__)
    for module_name in (name for name, page in PAGE_OF.items() if page == page_name):
        known.update(import_module(module_name).__all__)
        known.update(*(dir(cls) for cls in classes_of(module_name)))
        known.update(*(inspect.get_annotations(cls) for cls in classes_of(module_name)))
    documented = {name for name in documented_on(REFERENCE / page_name) if name.isidentifier()}
    assert documented - known == set()


@pytest.mark.parametrize("module_name", COMPAT_MODULES)
def test_every_name_of_the_modules_of_cloudflare_is_described(module_name: str) -> None:
    sections = dict(sections_of(REFERENCE / CLOUDFLARE_MODULES))
    (section,) = [text for heading, text in sections.items() if f"`{module_name}`" in heading]
    assert documented_in(section) >= set(import_module(COMPAT_MODULES[module_name]).__all__) - {"__version__"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_section_has_an_example(page: Path) -> None:
    if page.name in WITHOUT_EXAMPLES:
        return
    without = [heading for heading, text in sections_of(page) if not blocks_of(page, text)]
    assert without == []


def test_the_index_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\(([a-z_]+\.md)\)", (REFERENCE / "index.md").read_text(encoding="utf-8")))
    assert linked == {page.name for page in PAGES} - {"index.md"}
