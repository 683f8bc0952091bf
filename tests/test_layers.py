"""Each folder imports only its own and lower layers."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("deploy", "search_spaces", "evaluators", "results", "automl")
NO_TORCH = {"torch", "torchvision", "torchmetrics", "optuna", "pymoo", "fvcore", "scipy", "sklearn", "matplotlib"}


def imported(path: Path) -> set[str]:
    """Return the top-level packages that a file imports anywhere, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_nothing_above_it(layer: str) -> None:
    above = set(LAYERS[LAYERS.index(layer) + 1 :]) | {"tests", "benchmarks"}
    files = sorted((ROOT / layer).rglob("*.py"))
    assert files
    wrong = {str(file.relative_to(ROOT)): sorted(imported(file) & above) for file in files}
    assert {file: names for file, names in wrong.items() if names} == {}


def test_deploy_imports_no_training_library() -> None:
    wrong = {file.name: imported(file) & NO_TORCH for file in (ROOT / "deploy").rglob("*.py")}
    assert {file: names for file, names in wrong.items() if names} == {}


def test_every_package_is_a_layer() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages == set(LAYERS)
