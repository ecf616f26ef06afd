"""Importing programs, natively written ones and Cloudflare's, first and again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import WorkerLoadError
from durabase.workers.entrypoint import WorkerEntrypoint
from durabase.workers.loader import load_worker

from .programs import ROOM, TOML, program_config, write_program

NATIVE = """
    from durabase.durable_objects import DurableObject
    from durabase.workers import Response, WorkerEntrypoint
    import helper

    class Room(DurableObject):
        pass

    class _Hidden(DurableObject):
        pass

    class Default(WorkerEntrypoint):
        text = helper.TEXT
"""


def test_a_native_program(tmp_path: Path) -> None:
    worker = load_worker(program_config(tmp_path, NATIVE, TOML + ROOM, helper="TEXT = 'one'"))
    assert set(worker.object_classes) == {"Room"}
    assert worker.default is not None
    assert issubclass(worker.default, WorkerEntrypoint)
    assert vars(worker.default)["text"] == "one"
    assert worker.module.__file__ == str(tmp_path / "index.py")


def test_a_program_of_cloudflares(tmp_path: Path) -> None:
    program = """
        import js
        from js import Date, WebSocketPair
        from pyodide.ffi import create_proxy, to_js
        from workers import DurableObject, Response, WorkerEntrypoint, env, handler, wait_until
        import asgi
        from workers import asgi as same
        from workers.types import FetchKwargs
        from workers.workflows import NonRetryableError
        from pyodide.http import pyfetch

        class Room(DurableObject):
            pair = WebSocketPair.new().object_values()

        class Default(WorkerEntrypoint):
            facts = [to_js(["a"]), js.Date.now() > 0, env.MESSAGE, asgi.fetch is same.fetch]
    """
    worker = load_worker(program_config(tmp_path, program, TOML + ROOM + '[vars]\nMESSAGE = "hi"\n'))
    assert worker.default is not None
    assert vars(worker.default)["facts"] == [["a"], True, "hi", True]
    assert issubclass(worker.object_classes["Room"], DurableObject)


def test_a_module_of_the_programs_own_goes_before_those_of_cloudflare(tmp_path: Path) -> None:
    program = "import js\nfrom durabase.workers import WorkerEntrypoint\nOWN = js.OWN"
    worker = load_worker(program_config(tmp_path, program, js="OWN = 1"))
    assert worker.module.OWN == 1


@pytest.mark.feature("M-PY-2")
def test_all_decides_what_is_exported(tmp_path: Path) -> None:
    worker = load_worker(program_config(tmp_path, NATIVE + "    __all__ = ['_Hidden']\n", helper="TEXT = ''"))
    assert set(worker.object_classes) == {"_Hidden"}
    assert worker.default is None


def test_loading_again_sees_every_edit(tmp_path: Path) -> None:
    program = "from durabase.workers import WorkerEntrypoint\nimport helper\nfrom package import deep\n"
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    deep = tmp_path / "package" / "deep.py"
    deep.write_text("VALUE = 1")
    config = program_config(tmp_path, program, helper="VALUE = 1")
    old = load_worker(config).module
    (tmp_path / "helper.py").write_text("VALUE = 2")  # of the same size, within the same second
    deep.write_text("VALUE = 2")
    new = load_worker(config).module
    assert (new.helper.VALUE, new.deep.VALUE) == (2, 2)
    assert (old.helper.VALUE, old.deep.VALUE) == (1, 1)


@pytest.mark.parametrize("broken", ["syntax error", "1 / 0", "raise SystemExit", "import helper, missing"])
def test_a_load_that_fails_leaves_the_old_modules(tmp_path: Path, broken: str) -> None:
    config = program_config(tmp_path, "import helper", helper="VALUE = 1")
    old = load_worker(config).module
    paths = list(sys.path)
    write_program(tmp_path, broken, helper="VALUE = 2")
    with pytest.raises(WorkerLoadError, match=r"index\.py can't be imported"):
        load_worker(config)
    assert sys.modules["index"] is old
    assert sys.modules["helper"].VALUE == 1
    assert sys.path == paths


def test_a_failure_shows_the_programs_own_frames(tmp_path: Path) -> None:
    config = program_config(tmp_path, "import helper", helper="def f():\n    1 / 0\nf()")
    with pytest.raises(WorkerLoadError) as caught:
        load_worker(config)
    text = str(caught.value)
    assert "helper.py" in text
    assert "ZeroDivisionError" in text
    assert "importlib" not in text


@pytest.mark.feature("M-CF-3", "M-PY-2")
def test_a_missing_class_is_named_with_both_files(tmp_path: Path) -> None:
    config = program_config(tmp_path, NATIVE, TOML + ROOM.replace("Room", "Nope"), helper="TEXT = ''")
    with pytest.raises(WorkerLoadError) as caught:
        load_worker(config)
    text = str(caught.value)
    assert "not exported in your entrypoint file: Nope." in text
    assert f"{tmp_path}/wrangler.toml" in text
    assert f"{tmp_path}/index.py has these subclasses of DurableObject: Room." in text


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    config = program_config(tmp_path, "", TOML.replace("index.py", "pathlib.py"), pathlib="")
    with pytest.raises(WorkerLoadError, match="a module named 'pathlib' exists already"):
        load_worker(config)


def test_programs_do_not_see_each_others_modules(tmp_path: Path) -> None:
    load_worker(program_config(tmp_path / "one", "import helper", helper="VALUE = 1"))
    two = load_worker(program_config(tmp_path / "two", "import helper", helper="VALUE = 2"))
    assert two.module.helper.VALUE == 2


def test_packages_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "python_modules").mkdir()
    (tmp_path / "python_modules" / "vendored.py").write_text("VALUE = 3")
    worker = load_worker(program_config(tmp_path, "import vendored"))
    assert worker.module.vendored.VALUE == 3


def test_a_name_with_the_directory_of_main_in_it(tmp_path: Path) -> None:
    config = program_config(tmp_path / "src", "from src.helper import VALUE", helper="VALUE = 1")
    with pytest.raises(WorkerLoadError) as caught:
        load_worker(config)
    assert str(caught.value).endswith('write "from x import …", not "from src.x import …".')


@pytest.mark.feature("M-PY-2")
def test_classes_that_are_imported_count_as_well(tmp_path: Path) -> None:
    helper = """
        from workers import DurableObject, WorkerEntrypoint

        class Room(DurableObject): ...
        class Admin(WorkerEntrypoint): ...
        class Default(WorkerEntrypoint): ...
        class _Private(DurableObject): ...
    """
    program = "from helper import *\nfrom helper import Admin, _Private"
    worker = load_worker(program_config(tmp_path, program, TOML + ROOM, helper=helper))
    assert set(worker.object_classes) == {"Room"}
    assert set(worker.entrypoints) == {"Admin", "Default"}


@pytest.mark.feature("M-PY-2")
def test_workflows_are_refused_with_a_reason(tmp_path: Path) -> None:
    program = "from workers import WorkflowEntrypoint\nclass Flow(WorkflowEntrypoint): ..."
    with pytest.raises(WorkerLoadError, match="Flow: workflows are not supported here"):
        load_worker(program_config(tmp_path, program))


@pytest.mark.feature("M-PY-2", "S-PY-2")
def test_both_styles_at_once(tmp_path: Path) -> None:
    config = program_config(tmp_path, NATIVE + "\n    def on_fetch(request): pass\n", helper="TEXT = ''")
    with pytest.raises(WorkerLoadError, match="Cannot define multiple default entrypoints"):
        load_worker(config)


LEGACY = """
    from workers import Response, handler

    @handler
    async def on_fetch(request, env, ctx):
        return Response("by a function")
"""


def dated(date: str, *flags: str) -> str:
    return TOML.replace("2025-01-01", date) + f"compatibility_flags = {list(flags)}\n"


@pytest.mark.feature("S-PY-2")
@pytest.mark.parametrize(
    ("toml", "called"),
    [
        (dated("2025-08-13"), True),
        (dated("2025-08-14"), False),
        (dated("2025-08-13", "python_no_global_handlers"), False),
        (dated("2026-01-01", "disable_python_no_global_handlers"), True),
    ],
)
def test_functions_are_handlers_by_date_or_flag(tmp_path: Path, toml: str, called: bool) -> None:
    config = program_config(tmp_path, LEGACY, toml)
    if called:
        assert load_worker(config).default is not None
    else:
        with pytest.raises(WorkerLoadError, match="set the compatibility flag disable_python_no_global"):
            load_worker(config)
    both = (
        LEGACY
        + """
    from workers import WorkerEntrypoint
    class Default(WorkerEntrypoint):
        pass
    """
    )
    config = program_config(tmp_path, both, toml)
    if called:
        with pytest.raises(WorkerLoadError, match="multiple default entrypoints"):
            load_worker(config)
    else:
        assert load_worker(config).default is not None
