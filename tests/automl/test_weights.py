"""What ``--weights`` names: a file, or weights that torchvision downloads."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from automl.tasks.models import classifier, detector
from automl.tasks.weights import weights_digest, with_weights
from deploy.errors import UserError


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_weights_come_from_a_file_but_for_a_head_of_other_classes(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"mine.{ending}"
    state = models.resnet18(num_classes=9).state_dict()
    torch.save({"state_dict": state}, path) if ending == "pth" else save_file(state, path)
    own = classifier("resnet18", 5, str(path)).state_dict()
    assert torch.equal(own["model.conv1.weight"], state["conv1.weight"])
    assert own["model.fc.weight"].shape == (5, 512)


def test_weights_without_a_head_are_a_backbones(tmp_path: Path) -> None:
    state = models.shufflenet_v2_x0_5().state_dict()
    kept = {f"module.{key}": value for key, value in state.items() if not key.startswith(("conv5", "fc"))}
    torch.save(kept, tmp_path / "backbone.pth")
    found = detector("shufflenet_v2_x0_5", 5, 64, str(tmp_path / "backbone.pth")).state_dict()
    assert any(torch.equal(value, state["conv1.0.weight"]) for value in found.values())


def test_weights_of_another_model_list_what_does_not_fit(tmp_path: Path) -> None:
    torch.save(models.mobilenet_v3_small().state_dict(), tmp_path / "other.pth")
    with pytest.raises(UserError, match=r"are not resnet18's \(not known: features.* and \d+ more; missing: conv1"):
        classifier("resnet18", 5, str(tmp_path / "other.pth"))


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no archive", "no file of weights"),
        (b"", "no file of weights"),
        (None, "there is no such file"),
        ([1], "no state dict"),
    ],
)
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, content: object, error: str) -> None:
    path = tmp_path / "mine.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        torch.save(content, path)
    with pytest.raises(UserError, match=error):
        classifier("resnet18", 5, str(path))


def test_weights_of_plain_tensors_and_of_parts_that_only_train_are_taken(tmp_path: Path) -> None:
    save_file(models.mnasnet0_5().state_dict(), tmp_path / "mnasnet.safetensors")
    classifier("mnasnet0_5", 1000, str(tmp_path / "mnasnet.safetensors"))
    torch.save(models.googlenet(init_weights=False).state_dict(), tmp_path / "googlenet.pth")
    classifier("googlenet", 1000, str(tmp_path / "googlenet.pth"))


def test_weights_of_an_older_densenet_are_taken(tmp_path: Path) -> None:
    state = models.densenet121(num_classes=5).state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", key): state[key] for key in state}
    assert old.keys() != state.keys()
    torch.save(old, tmp_path / "densenet.pth")
    classifier("densenet121", 5, str(tmp_path / "densenet.pth"))


@pytest.mark.parametrize("name", ["DEFAULT", "IMAGENET1K_V1", "ResNet18_Weights.IMAGENET1K_V1"])
def test_torchvisions_names_are_downloaded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    state, asked = models.resnet18().state_dict(), []

    def downloaded(url: str, **_: object) -> dict[str, torch.Tensor]:
        asked.append(url)
        return state

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", downloaded)
    own = classifier("resnet18", 5, name).state_dict()
    assert asked == [models.ResNet18_Weights.IMAGENET1K_V1.url]
    assert torch.equal(own["model.conv1.weight"], state["conv1.weight"])
    assert weights_digest("resnet18", name) == "ResNet18_Weights.IMAGENET1K_V1"


def test_without_a_network_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(url: str, **_: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", unreachable)
    with pytest.raises(UserError, match=r"https://\S+ cannot be downloaded .* give the file"):
        classifier("resnet18", 5, "DEFAULT")


@pytest.mark.parametrize(
    ("model", "weights", "error"),
    [
        ("resnet18", "IMAGENET1K_V9", "ResNet18_Weights.IMAGENET1K_V1"),
        ("resnet18", "ResNet50_Weights.DEFAULT", "ResNet18_Weights.IMAGENET1K_V1"),
        ("small", "DEFAULT", "torchvision has no weights of small"),
    ],
)
def test_a_name_that_is_not_the_models_is_refused(model: str, weights: str, error: str) -> None:
    with pytest.raises(UserError, match=error):
        classifier(model, 5, weights)


def test_weights_of_another_size_are_said_to_be_so(tmp_path: Path) -> None:
    def vit(side: int) -> models.VisionTransformer:
        return models.VisionTransformer(side, 8, 1, 2, 16, 32, num_classes=4 if side == 32 else 5)

    torch.save(vit(32).state_dict(), tmp_path / "vit.pth")
    with pytest.raises(UserError, match=r"of another shape: .*\): it is of another size"):
        with_weights(vit(64), "vit_b_16", str(tmp_path / "vit.pth"))
