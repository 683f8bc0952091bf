"""The laws hold for models of several families, and a model that breaks one is told which."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from automl import conformance
from automl.conformance import ConformanceError, check_model
from automl.tasks.models import classifier
from search_spaces.families.residual import BasicBlockFamily

IMAGES = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_every_law_of_the_small_model_export_included() -> None:
    report = check_model(classifier("small", 4, None), IMAGES)
    assert (report.blocks, report.parts) == (8, 6)
    assert report.covered > 0.9


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_models_of_torchvision_keep_the_laws(name: str) -> None:
    torch.manual_seed(0)
    report = check_model(classifier(name, 4, None), IMAGES, export=False)
    assert report.parts >= 7
    assert report.blocks > report.parts


def test_what_stays_one_module_is_reported() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.SiLU(), nn.Conv2d(4, 4, 3, 2), nn.Flatten(), nn.Linear(196, 2))
    report = check_model(model, IMAGES, export=False)
    assert (report.blocks, report.parts, report.covered) == (3, 0, 0.0)
    assert "Conv2d" in report.whole


def test_a_family_that_forgets_a_tensor_breaks_a_law(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = BasicBlockFamily.axes

    def forgetful(self: BasicBlockFamily, block: nn.Module) -> dict:
        return {name: axis for name, axis in axes(self, block).items() if name.startswith("conv2")}

    monkeypatch.setattr(BasicBlockFamily, "axes", forgetful)
    with pytest.raises((ConformanceError, RuntimeError)):
        check_model(classifier("small", 4, None), IMAGES, export=False)


def test_a_chain_that_is_not_the_model_breaks_the_chains_law(monkeypatch: pytest.MonkeyPatch) -> None:
    model, other = classifier("small", 4, None), classifier("small", 4, None)
    chain = conformance.chain_of(other, IMAGES)
    monkeypatch.setattr(conformance, "chain_of", lambda model, example: chain)
    with pytest.raises(ConformanceError, match="chain: the joined blocks are not the model: they differ by"):
        check_model(model, IMAGES, export=False)
