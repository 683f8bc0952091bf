"""What ``--model`` names: any torchvision model or one of the user's own, for any classes."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
import torch

from automl.tasks.factory import source_digest
from automl.tasks.models import check_size, classifier, detector, detector_rules, pixels_of
from deploy.errors import UserError
from search_spaces.chain import chain_of

IMAGES = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["small", "resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1"])
def test_a_classifier_has_the_asked_classes_and_can_be_cut(name: str) -> None:
    model = classifier(name, 5, None).eval()
    with torch.no_grad():
        (logits,) = model(IMAGES)
        torch.testing.assert_close(chain_of(model, IMAGES)(IMAGES)[0], logits, atol=1e-5, rtol=1e-5)
    assert logits.shape == (1, 5)


@pytest.mark.parametrize("name", ["small", "shufflenet_v2_x0_5", "mobilenet_v3_small"])
def test_a_detector_has_one_level_and_can_be_cut(name: str) -> None:
    model = detector(name, 5, 64, None).eval()
    cells = len(detector_rules(name, 5, 64).anchors)
    with torch.no_grad():
        outputs = model(IMAGES)
        for ours, theirs in zip(chain_of(model, IMAGES)(IMAGES), outputs, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert [output.shape for output in outputs] == [(1, cells, 5), (1, cells, 4), (1, cells, 1)]


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'resnet50'"):
        classifier("resnet5", 5, None)


def test_a_size_that_a_model_does_not_take_is_refused() -> None:
    with pytest.raises(UserError, match="multiple of 16"):
        detector("resnet18", 5, 72, None)
    with pytest.raises(UserError, match=r"alexnet does not take 32 x 32 pixels .* choose --image-size"):
        check_size("alexnet", classifier("alexnet", 5, None), 32)


FACTORY = """
from torchvision.models import resnet18

def small_resnet(num_classes):
    return resnet18(num_classes=num_classes)

def broken(num_classes):
    raise ValueError("no weights")

def no_model(num_classes):
    return num_classes

number = 3
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module of the user's own, in the current folder."""
    name = f"mine_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return name


def test_a_factory_builds_ones_own_model(mine: str) -> None:
    assert classifier(f"{mine}:small_resnet", 5, None).eval()(IMAGES)[0].shape == (1, 5)
    assert len(detector_rules(f"{mine}:small_resnet", 5, 64).anchors) == 16
    assert detector(f"{mine}:small_resnet", 5, 64, None)(IMAGES)[0].shape == (1, 16, 5)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        ("nothing", "has no such function"),
        ("number", "has no such function"),
        ("broken", r"broken\(num_classes=5\) fails \(ValueError: no weights\)"),
        ("no_model", "must return an nn.Module, not int"),
    ],
)
def test_a_factory_that_gives_no_model_is_refused(mine: str, function: str, error: str) -> None:
    with pytest.raises(UserError, match=error):
        classifier(f"{mine}:{function}", 5, None)


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(UserError, match="No module named 'not_there'"):
        classifier("not_there:model", 5, None)


def test_a_factory_is_known_by_the_file_that_it_is_in(mine: str) -> None:
    assert source_digest("resnet18") is None
    assert source_digest(f"{mine}:small_resnet") == hashlib.sha256(FACTORY.encode()).hexdigest()


def test_a_factory_in_a_package_is_known_by_all_of_its_code(mine: str, tmp_path: Path) -> None:
    package = tmp_path / f"{mine}_package"
    package.mkdir()
    (package / "__init__.py").write_text("from .net import network")
    (package / "net.py").write_text("def network(num_classes): ...")
    before = source_digest(f"{package.name}:network")
    (package / "net.py").write_text("def network(num_classes): return None")
    assert source_digest(f"{package.name}:network") != before


@pytest.mark.parametrize(("name", "deviation"), [("resnet18", 0.229), ("efficientnet_v2_l", 0.5), ("a:b", 0.229)])
def test_pixels_are_prepared_as_torchvision_does_for_a_model(name: str, deviation: float) -> None:
    assert pixels_of(name)[1][0] == pytest.approx(deviation)


def test_inception_prepares_what_it_is_given_as_it_was_trained() -> None:
    assert classifier("googlenet", 5, None).get_submodule("model").transform_input
