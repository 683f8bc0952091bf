"""What ``--model`` and ``--weights`` name: any torchvision model, for any classes, from a file's weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from automl.tasks.models import check_size, classifier, detector, stride_of
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
    cells = (64 // stride_of(name)) ** 2
    with torch.no_grad():
        outputs = model(IMAGES)
        for ours, theirs in zip(chain_of(model, IMAGES)(IMAGES), outputs, strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    assert [output.shape for output in outputs] == [(1, cells, 5), (1, cells, 4), (1, cells, 1)]


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_weights_come_from_a_file_but_for_a_head_of_other_classes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine.{ending}"
    state = models.resnet18(num_classes=9).state_dict()
    torch.save({"state_dict": state}, path) if ending == "pth" else save_file(state, path)
    own = classifier("resnet18", 5, path).state_dict()
    assert torch.equal(own["model.conv1.weight"], state["conv1.weight"])
    assert own["model.fc.weight"].shape == (5, 512)


def test_weights_without_a_head_are_a_backbones(tmp_path: Path) -> None:
    state = models.shufflenet_v2_x0_5().state_dict()
    kept = {f"module.{key}": value for key, value in state.items() if not key.startswith(("conv5", "fc"))}
    torch.save(kept, tmp_path / "backbone.pth")
    found = detector("shufflenet_v2_x0_5", 5, 64, tmp_path / "backbone.pth").state_dict()
    assert any(torch.equal(value, state["conv1.0.weight"]) for value in found.values())


def test_weights_of_another_model_list_what_does_not_fit(tmp_path: Path) -> None:
    torch.save(models.mobilenet_v3_small().state_dict(), tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"are not resnet18's \(not known: features.* and \d+ more; missing: conv1"):
        classifier("resnet18", 5, tmp_path / "other.pth")


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"no archive", "cannot be read"), (None, "there is no such file"), ([1], "no state dict")],
)
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: object, error: str) -> None:
    path = tmp_path / "mine.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UserError, match=error):
        classifier("resnet18", 5, path)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'resnet50'"):
        classifier("resnet5", 5, None)


def test_weights_of_plain_tensors_and_of_parts_that_only_train_are_taken(tmp_path: Path) -> None:
    save_file(models.mnasnet0_5().state_dict(), tmp_path / "mnasnet.safetensors")
    classifier("mnasnet0_5", 1000, tmp_path / "mnasnet.safetensors")
    torch.save(models.googlenet(init_weights=False).state_dict(), tmp_path / "googlenet.pth")
    classifier("googlenet", 1000, tmp_path / "googlenet.pth")


def test_a_size_that_a_model_does_not_take_is_refused() -> None:
    with pytest.raises(UserError, match="multiple of 16"):
        detector("resnet18", 5, 72, None)
    with pytest.raises(UserError, match=r"alexnet does not take 32 x 32 pixels .* choose --image-size"):
        check_size("alexnet", classifier("alexnet", 5, None), 32)
