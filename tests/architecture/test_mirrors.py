"""Tests mirror the sources: a module has a test module of its own, or stands here with a reason."""

from __future__ import annotations

from pathlib import Path

from architecture.test_sizes import SOURCES, modules

TESTS = Path(__file__).parents[1] / "unit"

WITHOUT_RULES = {
    "__main__.py": "one line",
    "_codec/limits.py": "a constant, tested with what reads and writes",
    "_compiling.py": "a word to the compiler",
    "cli/demo.py": "starts what is tested end to end",
    "cli/options.py": "data",
    "cli/processes.py": "real processes, tested end to end",
    "durable_objects/base.py": "a class to derive from",
    "durable_objects/definition.py": "data",
    "durable_objects/limits.py": "data",
    "durable_objects/surroundings.py": "what others provide",
    "durable_objects/tracing.py": "what others provide",
    "store/_hooks.py": "methods that do nothing; when they are called is tested with transactions",
    "web/ports.py": "what others provide",
    "workers/compat/pyodide.py": "names of other modules",
    "workers/compat/pyodide_http.py": "one line",
    "workers/compat/sdk_types.py": "types",
    "workers/compat/workflows.py": "names of other modules",
}


def has_tests(module: Path) -> bool:
    return (TESTS / module.parent / f"test_{module.name}").exists()


def test_each_module_with_rules_has_tests_of_its_own() -> None:
    sources = [path.relative_to(SOURCES) for path in modules() if path.name != "__init__.py"]
    without = {str(module) for module in sources if not has_tests(module)}
    assert without == set(WITHOUT_RULES)
