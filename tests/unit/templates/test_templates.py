import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from durabase.cli.main import main
from durabase.errors import ConfigError
from durabase.templates import TEMPLATES, create_project, demo_server_dir, prebuilt_client_dir, template_dir
from durabase.workers.config import load_config


def files_of(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_a_project_has_client_server_readme_and_gitignore(tmp_path: Path) -> None:
    project = create_project("pet-shop", tmp_path)

    assert project == tmp_path / "pet-shop"
    assert {
        ".gitignore",
        "README.md",
        "client/index.html",
        "client/package.json",
        "client/package-lock.json",
        "client/src/main.tsx",
        "client/vite.config.ts",
        "server/index.py",
        "server/wrangler.toml",
    } <= files_of(project)
    assert "gitignore" not in files_of(project)


@pytest.mark.parametrize("template", TEMPLATES)
def test_its_name_replaces_the_templates_everywhere_in_each(tmp_path: Path, template: str) -> None:
    project = create_project("pet-shop", tmp_path, template)

    left = [path for path in files_of(project) if b"my-app" in (project / path).read_bytes()]
    assert left == []
    assert load_config(project)[0].name == "pet-shop"
    assert (project / "README.md").read_text("utf-8").startswith("# pet-shop\n")
    assert (project / ".gitignore").is_file()
    assert [place for place in TEMPLATES[template].contents if not (project / place).exists()] == []


@pytest.mark.feature("S-DX-3")
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_tests_of_a_new_project_pass(tmp_path: Path, template: str) -> None:
    project = create_project("pet-shop", tmp_path, template)

    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(run, cwd=project, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert " passed" in ended.stdout


@pytest.mark.parametrize("template", TEMPLATES)
def test_nothing_is_wrong_with_a_new_project(
    tmp_path: Path, template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(create_project("pet-shop", tmp_path, template))

    assert main(["check"]) == 0
    assert "✓ Nothing is wrong" in capsys.readouterr().out


def test_a_template_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There are: tinybase-react, chat, counter"):
        create_project("app", tmp_path, "vue")
    assert list(tmp_path.iterdir()) == []


def test_its_name_replaces_the_templates_everywhere(tmp_path: Path) -> None:
    project = create_project("pet-shop", tmp_path)

    config = tomllib.loads((project / "server/wrangler.toml").read_text("utf-8"))
    assert config["name"] == "pet-shop"
    assert "<title>pet-shop</title>" in (project / "client/index.html").read_text("utf-8")


def test_what_npm_and_the_server_leave_behind_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = create_project("used", tmp_path)
    (template / ".gitignore").rename(template / "gitignore")
    for left in (
        "client/node_modules/x.js",
        "client/dist/index.html",
        "server/__pycache__/x.pyc",
        ".durabase/state",
    ):
        (template / left).parent.mkdir(parents=True, exist_ok=True)
        (template / left).write_text("left behind")
    monkeypatch.setattr("durabase.templates._FOLDER", tmp_path)
    template.rename(tmp_path / "react-ts")

    project = create_project("fresh", tmp_path)

    assert [path for path in files_of(project) if "left behind" in (project / path).read_text("utf-8")] == []


def test_the_configuration_binds_the_class_of_the_program() -> None:
    config = tomllib.loads((demo_server_dir() / "wrangler.toml").read_text("utf-8"))

    program = ast.parse((demo_server_dir() / config["main"]).read_text("utf-8"))
    classes = {node.name for node in program.body if isinstance(node, ast.ClassDef)}
    assert config["durable_objects"]["bindings"] == [
        {"name": "TinyBaseDurableObjects", "class_name": "TinyBaseDurableObject"}
    ]
    assert config["migrations"] == [{"tag": "v1", "new_classes": ["TinyBaseDurableObject"]}]
    assert classes == {"TinyBaseDurableObject", "Default"}


def test_the_client_is_on_the_newest_tinybase_and_its_lock_names_no_registry() -> None:
    client = template_dir() / "client"
    package = json.loads((client / "package.json").read_text("utf-8"))
    lock = json.loads((client / "package-lock.json").read_text("utf-8"))

    assert re.fullmatch(r"\^10\.\d+\.\d+", package["dependencies"]["tinybase"])
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    assert [name for name, entry in packages.items() if not entry.get("integrity")] == []


@pytest.mark.parametrize("name", ["a", "0", "my-app", "my_app", "a--b", "x" * 63])
def test_allowed_names(name: str, tmp_path: Path) -> None:
    assert create_project(name, tmp_path).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../up", "/abs", "a/b", "My-App", "-a", "a-", "ä", "a b", "a\n", "x" * 64, "٣"]
)
def test_other_names_are_refused_with_the_rule(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is no project name: use a-z, 0-9"):
        create_project(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")

    with pytest.raises(ConfigError, match="taken exists already"):
        create_project("taken", tmp_path)
    assert files_of(tmp_path / "taken") == {"mine.txt"}


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere is not a folder to make app in"):
        create_project("app", tmp_path / "nowhere")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Path, *_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)

    with pytest.raises(ConfigError, match="No space left on device"):
        create_project("app", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_prebuilt_client_until_it_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("durabase.templates._TEMPLATE", tmp_path)
    assert prebuilt_client_dir() is None

    built = tmp_path / "client" / "dist"
    built.mkdir(parents=True)
    assert prebuilt_client_dir() is None
    (built / "index.html").write_text("<!doctype html>")
    assert prebuilt_client_dir() == built
