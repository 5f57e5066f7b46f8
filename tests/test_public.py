import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import rag
from rag import errors, spans
from rag.cli import app

ROOT = Path(__file__).parent.parent


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def commands() -> list[str]:
    group = typer.main.get_command(app)
    names: list[str] = sorted(group.commands)  # type: ignore[attr-defined]
    return names


@pytest.mark.parametrize("name", rag.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(rag, name)
    assert found.__name__ == name
    assert found.__module__.startswith("rag.")
    assert inspect.getdoc(found)


def test_no_public_name_is_missing() -> None:
    mistakes = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    nouns = {name for name, value in vars(spans).items() if dataclasses.is_dataclass(value)}
    work = {"Assistant", "BuildReport", "Settings", "Skipped", "Status", "add", "build", "remove", "status"}
    assert set(rag.__all__) == mistakes | nouns | work
    assert sorted(rag.__all__) == list(rag.__all__)


def test_a_star_imports_them_all() -> None:
    names: dict[str, object] = {}
    exec("from rag import *", names)
    assert set(rag.__all__) <= set(names)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'rag' has no attribute 'nothing_at_all'"):
        rag.nothing_at_all  # noqa: B018


def test_the_example_of_the_package_names_what_exists() -> None:
    assert rag.__doc__ is not None
    imported = re.search(r"from rag import (.+)", rag.__doc__)
    assert imported
    assert {name.strip() for name in imported[1].split(",")} <= set(rag.__all__)
    for name in ("open", "ask"):
        assert f".{name}(" in rag.__doc__
        assert callable(getattr(rag.Assistant, name))
    assert isinstance(inspect.getattr_static(spans.Answer, "found"), property)


def test_importing_the_package_is_light() -> None:
    code = (
        "import sys, rag; print([n for n in ('numpy', 'torch', 'faiss', 'gradio', 'onnxruntime') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT / "src", env={"PATH": ""}, check=True
    )
    assert run.stdout == "[]\n"


def test_every_module_has_a_docstring_of_one_sentence() -> None:
    for path in sorted((ROOT / "src" / "rag").glob("*.py")):
        if path.stem in ("__init__", "__main__"):
            continue
        text = (importlib.import_module(f"rag.{path.stem}").__doc__ or "").strip()
        assert text.endswith("."), path.name
        assert "\n\n" not in text, path.name


def test_the_commands_are_these() -> None:
    assert commands() == ["add", "ask", "build", "chat", "doctor", "evaluate", "mcp", "password", "remove", "status"]


@pytest.mark.parametrize("command", commands())
def test_the_readme_names_every_command(command: str) -> None:
    assert f"rag {command}" in readme()


@pytest.mark.parametrize("line", ["pip install -e . && python app.py", 'pip install -e ".[test]" && pytest'])
def test_the_readme_has_the_two_commands(line: str) -> None:
    assert line in readme()


def test_the_readme_s_python_uses_what_exists() -> None:
    for block in re.findall(r"```python\n(.*?)```", readme(), re.DOTALL):
        for names in re.findall(r"^(?:>>> )?from rag import (.+)$", block, re.MULTILINE):
            assert {name.strip() for name in names.split(",")} <= set(rag.__all__)
