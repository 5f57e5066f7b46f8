"""The examples in docstrings say what the code does."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {"rag": ROOT / "src" / "rag", "training": ROOT / "training"}
# Its example is the whole flow, which the tests of the command line and of the API walk through.
ELSEWHERE = {"rag"}


def modules_with_examples() -> list[str]:
    """Return the names of the modules that have an example."""
    found = []
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            name = ".".join(part for part in parts if part != "__init__")
            if ">>> " in path.read_text(encoding="utf-8") and name not in ELSEWHERE:
                found.append(name)
    return found


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_are_true(name: str) -> None:
    if name.startswith("training."):
        pytest.importorskip("torch")
        pytest.importorskip("onnx")
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
