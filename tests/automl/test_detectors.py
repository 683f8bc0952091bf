"""torchvision's one-stage detectors as cloud models: the same answers and losses as torchvision's own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyramid import PyramidTask
from torch import Tensor, nn
from torchvision import models

from automl.tasks.detector_rules import SsdRules
from automl.tasks.detectors import detector_names, is_detector, one_stage, rules_of
from automl.tasks.models import classifier, detector, detector_rules
from automl.tasks.one_stage import OneStage, OneStageRules
from deploy.errors import UserError
from search_spaces.task import Target

SSD, FCOS, RETINANET = "ssdlite320_mobilenet_v3_large", "fcos_resnet50_fpn", "retinanet_resnet50_fpn"
SIDES = {SSD: 320, FCOS: 64, RETINANET: 64}
CLASSES = 3


def targets(side: int) -> list[Target]:
    boxes = torch.tensor([[0.1, 0.1, 0.5, 0.6], [0.3, 0.2, 0.9, 0.4]]) * side
    nothing = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    return [{"boxes": boxes, "labels": torch.tensor([0, 2])}, nothing]


def torchvisions(name: str, side: int) -> nn.Module:
    """Return the whole detector as torchvision runs it, on images that it does not resize."""
    sizes = {} if name == SSD else {"min_size": side, "max_size": side}
    counted = CLASSES + (name == SSD)
    torch.manual_seed(0)
    return models.get_model(name, weights=None, weights_backbone=None, num_classes=counted, **sizes)


@pytest.fixture(scope="module", params=SIDES)
def pair(request: pytest.FixtureRequest) -> tuple[nn.Module, OneStage, OneStageRules, Tensor]:
    """A detector of torchvision's, its layers, their rules, and images."""
    torch.set_num_threads(1)
    name, side = request.param, SIDES[request.param]
    theirs, rules = torchvisions(name, side), rules_of(name, CLASSES, side)
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    return theirs, OneStage(theirs, rules.outputs), rules, images


def test_the_detections_are_torchvisions(
    pair: tuple[nn.Module, OneStage, OneStageRules, Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours, rules, images = pair
    # Without training no score is above what counts else.
    for model in (theirs, rules.model):
        monkeypatch.setattr(model, "score_thresh", 1e-4)
    with torch.no_grad():
        expected, found = theirs.eval()([*images]), rules.detections(ours.eval()(images))
    shift = int(isinstance(rules, SsdRules))
    for mine, other in zip(found, expected, strict=True):
        assert len(mine["scores"]) > 20
        assert mine["scores"] == pytest.approx(other["scores"].numpy(), abs=1e-6)
        assert (mine["labels"] == other["labels"].numpy() - shift).mean(dtype=float) > 0.95


def test_the_loss_is_torchvisions(pair: tuple[nn.Module, OneStage, OneStageRules, Tensor]) -> None:
    theirs, ours, rules, images = pair
    theirs.eval()
    outputs = ours(images)
    shift = int(isinstance(rules, SsdRules))
    marked = [{**target, "labels": target["labels"] + shift} for target in targets(images.shape[-1])]
    # In training mode, but for the batch norms: it gives losses then.
    theirs.training = True
    expected = sum(theirs([*images], marked).values())
    theirs.training = False
    assert float(rules.loss(outputs, targets(images.shape[-1])).detach()) == pytest.approx(
        float(expected.detach()), rel=1e-4
    )


@pytest.mark.parametrize("name", SIDES)
def test_the_response_loss_pulls_towards_the_teacher(name: str) -> None:
    rules = rules_of(name, CLASSES, 64)
    generator = torch.Generator().manual_seed(0)
    sizes = [CLASSES + (name == SSD), 4, 1][: len(rules.outputs)]
    shapes = [(2, len(rules.anchors), size) for size in sizes]
    teacher = tuple(torch.randn(shape, generator=generator).abs() for shape in shapes)
    student = tuple(t + 0.5 * torch.rand(t.shape, generator=generator) for t in teacher)
    for output in student:
        output.requires_grad_(True)
    loss = rules.response_loss(student, teacher, 2.0)
    gradients = torch.autograd.grad(loss, student)
    moved = tuple(output - 0.05 * g / g.abs().max() for output, g in zip(student, gradients, strict=True))
    assert all(gradient.any() for gradient in gradients)
    own, closer = (float(rules.response_loss(each, teacher, 2.0).detach()) for each in (teacher, moved))
    assert own <= closer < float(loss.detach())


@settings(max_examples=10, deadline=None)
@given(side=st.sampled_from([40, 64, 72, 96, 128]), name=st.sampled_from(sorted(SIDES)))
def test_the_anchors_are_as_many_as_the_levels_have(side: int, name: str) -> None:
    rules = rules_of(name, CLASSES, side)
    assert sum(rules.level_sizes) == len(rules.anchors)
    assert rules.anchors.shape[1] == 4 and rules.anchors.device.type == "cpu"


def test_a_detector_of_two_stages_is_refused_and_the_others_are_named() -> None:
    for refused in (lambda name: detector(name, 3, 64, None), lambda name: detector_rules(name, 3, 64)):
        with pytest.raises(UserError, match=r"fasterrcnn_resnet50_fpn: its second stage .*ssdlite320") as error:
            refused("fasterrcnn_resnet50_fpn")
        assert "\n" not in str(error.value)
    assert is_detector("maskrcnn_resnet50_fpn")
    assert {*SIDES} <= {*detector_names()}


def test_a_detector_is_no_classifier() -> None:
    with pytest.raises(UserError, match="finds boxes"):
        classifier(SSD, 3, None)


@pytest.mark.parametrize("name", [SSD, RETINANET])
def test_weights_for_other_classes_leave_the_layers_that_say_them_as_they_are(name: str, tmp_path: Path) -> None:
    other = models.get_model(name, weights=None, weights_backbone=None, num_classes=9)
    state = {_older(key): value for key, value in other.state_dict().items()}
    torch.save(state, tmp_path / "detector.pth")
    mine = one_stage(name, CLASSES, str(tmp_path / "detector.pth"))
    own, theirs = mine.state_dict(), other.state_dict()
    fresh = {key for key in own if own[key].shape != theirs[key].shape}
    assert fresh and all(key.startswith("head.classification_head") for key in fresh)
    assert all(torch.equal(own[key], theirs[key]) for key in own if key not in fresh)


def _older(key: str) -> str:
    """Return what torchvision called a part of a pyramid or a head when it published RetinaNet's weights."""
    for name in ("_blocks", "_head.conv"):
        head, found, tail = key.partition(name)
        if found and tail.count(".") == 3:
            number, _, leaf = tail[1:].split(".")
            return f"{head}{found}.{number}.{leaf}"
    return key


def test_the_weights_of_another_detector_are_refused(tmp_path: Path) -> None:
    torch.save(models.resnet18().state_dict(), tmp_path / "resnet.pth")
    with pytest.raises(UserError, match="are not ssdlite320"):
        one_stage(SSD, CLASSES, str(tmp_path / "resnet.pth"))


def test_a_task_answers_by_its_detectors_rules() -> None:
    task = PyramidTask()
    assert task.postprocessing()["kind"] == "fcos"
    assert [len(side) for side in (task.postprocessing()["sides"], task.postprocessing()["grids"])] == [3, 3]
