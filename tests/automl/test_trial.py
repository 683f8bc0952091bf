"""A trial: derive, distil, measure; the same Config and seed give the same numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from automl.keeper import Keeper
from automl.tasks.classification import ClassificationTask
from automl.teaching import SupernetTeaching, TeachingRecipe
from automl.trial import Trial, TrialRecipe
from deploy.joint_codec import symbols_codec
from deploy.packet import PacketCodec
from evaluators.flops import flops
from evaluators.operators import operators_of
from search_spaces.chain import chain_of
from search_spaces.modules import layout_of
from search_spaces.space import SearchSpace, default_space
from search_spaces.supernet import BottleneckOptions, Supernet

RECIPE = TrialRecipe(steps=2, batch=8, calibration=32)


@pytest.fixture(scope="module")
def space(task: ClassificationTask) -> SearchSpace:
    example = torch.zeros(1, 3, task.image_size, task.image_size)
    return default_space(layout_of(chain_of(task.cloud_model(), example)), task.image_size)


@pytest.fixture(scope="module")
def trial(task: ClassificationTask, space: SearchSpace) -> Trial:
    example = torch.zeros(1, 3, task.image_size, task.image_size)
    supernet = Supernet(chain_of(task.cloud_model(), example), BottleneckOptions.of(space))
    images, targets = task.data("train").batch(range(16))
    supernet.calibrate(images, lambda outputs: task.task_loss(outputs, targets))
    return Trial(task, supernet.eval(), RECIPE)


def test_same_config_and_seed_same_numbers(trial: Trial, space: SearchSpace) -> None:
    config = space.config({"split": 3, "width": 4, "bits": 3})
    data = trial.task.data("validation")
    first, second = (trial.measured(trial.candidate(config, 5), data) for _ in range(2))
    assert first == second


def test_another_seed_trains_another_way(trial: Trial, space: SearchSpace) -> None:
    config = space.config({"split": 3, "width": 4, "bits": 3})
    one, other = (trial.candidate(config, seed).derived.state_dict() for seed in (5, 6))
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_bytes_are_the_mean_length_of_packets_that_decode_to_the_symbols(trial: Trial, space: SearchSpace) -> None:
    candidate = trial.candidate(space.config({"split": 4, "width": 12, "bits": 2}), 1)
    data = trial.task.data("validation")
    measured = trial.measured(candidate, data)
    assert candidate.derived.edge is not None
    codec = PacketCodec(symbols_codec(candidate.tables, candidate.derived.symbol_shapes))
    symbols = candidate.derived.edge(data.batch(range(len(data)))[0]).numpy()
    packets = [codec.encode(sample) for sample in symbols]
    assert measured.bytes == sum(map(len, packets)) / len(packets)
    assert all((codec.decode(packet) == sample).all() for packet, sample in zip(packets, symbols, strict=True))


def test_edge_flops_are_fvcores_count_of_the_edge_part(trial: Trial, space: SearchSpace) -> None:
    candidate = trial.candidate(space.config({"split": 5, "edge_modules.stage1": 1}), 1)
    measured = trial.measured(candidate, trial.task.data("validation"))
    size = trial.task.image_size
    assert measured.edge_flops == flops(candidate.derived.edge, torch.zeros(1, 3, size, size))


@pytest.mark.parametrize("split", [3, 8])
def test_a_smaller_image_is_counted_as_it_is_exported(trial: Trial, space: SearchSpace, split: int) -> None:
    smaller = default_space(replace(space.layout, sides=(24, 48)), trial.task.image_size)
    candidate = trial.candidate(smaller.config({"split": split, "resolution": 24}), 1)
    edge, size = candidate.derived.edge, trial.task.image_size
    assert edge is not None and not trial.supernet.is_cloud_model(candidate.derived.config)
    measured = trial.measured(candidate, trial.task.data("validation"))
    assert measured.edge_flops == flops(edge, torch.zeros(1, 3, size, size))
    whole = trial.supernet.derive(smaller.config({"split": split})).eval().edge
    assert whole is not None and measured.edge_flops < 0.4 * flops(whole, torch.zeros(1, 3, size, size))
    program = operators_of(edge, torch.zeros(1, 3, size, size))
    reduction = next(part for part in program if part.kind == "elementwise")
    assert reduction.work == 3 * (24**2 + size**2)


@pytest.mark.parametrize("params", [{"split": 0, "image_format": "jpeg"}, {"split": 8}])
def test_the_ends_run_the_cloud_model_untrained(trial: Trial, space: SearchSpace, params: dict) -> None:
    candidate = trial.candidate(space.config(params), 1)
    part = candidate.derived.edge or candidate.derived.cloud
    assert part is not None and not candidate.tables
    theirs = list(trial.supernet.cloud.parameters())
    assert all(torch.equal(a, b) for a, b in zip(part.parameters(), theirs, strict=True))


def test_the_cloud_model_stays_frozen_through_teaching(task: ClassificationTask, space: SearchSpace) -> None:
    example = torch.zeros(1, 3, task.image_size, task.image_size)
    supernet = Supernet(chain_of(task.cloud_model(), example), BottleneckOptions.of(space))
    before = {name: tensor.clone() for name, tensor in supernet.cloud.state_dict().items()}
    teaching = SupernetTeaching(task, supernet, space, TeachingRecipe(steps=2, batch=4))
    teaching.step(0)
    assert all(torch.equal(tensor, before[name]) for name, tensor in supernet.cloud.state_dict().items())
    assert any(
        not torch.equal(a, b) for a, b in zip(supernet.chain.state_dict().values(), before.values(), strict=True)
    )


def test_every_step_of_the_sandwich_holds_the_whole_and_a_smallest(trial: Trial, space: SearchSpace) -> None:
    teaching = SupernetTeaching(trial.task, trial.supernet, space, TeachingRecipe(steps=2, batch=4))
    whole, smallest, *drawn = teaching.sandwich(7)
    assert (whole.split, whole.edge_modules) == (8, (4, 4, 4, 4)[: len(whole.edge_modules)])
    assert set(smallest.edge_modules) == {0}
    assert len(drawn) == 2
    trial.supernet.eval()


def test_the_sandwich_is_taught_over_the_resolutions_on_offer(trial: Trial, space: SearchSpace) -> None:
    smaller = default_space(replace(space.layout, sides=(24, 32, 40, 48)), trial.task.image_size)
    recipe = TeachingRecipe(steps=2, batch=4)
    teaching = SupernetTeaching(trial.task, trial.supernet, smaller, recipe)
    steps = [teaching.sandwich(step) for step in range(12)]
    assert all(whole.resolution == 0 and smallest.resolution == 24 for whole, smallest, *_ in steps)
    assert {config.resolution for _, _, *drawn in steps for config in drawn} == {24, 32, 40, 0}
    assert all(torch.isfinite(teaching.step(step)) for step in range(2))
    plain = SupernetTeaching(trial.task, trial.supernet, space, recipe)
    assert not any(config.resolution for config in plain.sandwich(3))
    trial.supernet.eval()


def test_the_weights_that_a_user_fixes_do_not_shape_the_shared_supernet(trial: Trial, space: SearchSpace) -> None:
    """The cached supernet is found without them, so it must be taught without them."""
    fixed = space.narrowed({"response": [0.5], "feature": [2.0], "rate": [0.0], "temperature": [4.0]})
    recipe = TeachingRecipe(steps=2, batch=4)
    as_it_is, with_fixed = (
        SupernetTeaching(trial.task, trial.supernet, each, recipe).sandwich(3) for each in (space, fixed)
    )
    assert with_fixed == as_it_is
    trial.supernet.eval()


def test_what_is_kept_measures_as_it_did(trial: Trial, space: SearchSpace, tmp_path: Path) -> None:
    config = space.config({"split": 2, "width": 2, "bits": 4})
    candidate, data = trial.candidate(config, 1), trial.task.data("validation")
    keeper = Keeper(tmp_path)
    keeper.save([candidate])
    again = keeper.load(config, trial.supernet)
    assert again is not None
    assert trial.measured(again, data) == trial.measured(candidate, data)


def test_only_the_front_and_the_finalists_are_kept(trial: Trial, space: SearchSpace, tmp_path: Path) -> None:
    one, other = (trial.candidate(space.config({"split": 2, "width": width}), 1) for width in (2, 4))
    keeper = Keeper(tmp_path)
    keeper.save([one])
    keeper.save([other])
    keeper.save([one], finalist=True)
    keeper.drop([one.derived.config])
    assert keeper.load(one.derived.config, trial.supernet) is None
    assert keeper.load(one.derived.config, trial.supernet, finalist=True) is not None
    assert keeper.load(other.derived.config, trial.supernet) is not None
    assert len(list(tmp_path.iterdir())) == 2


def test_damaged_weights_are_not_taken(trial: Trial, space: SearchSpace, tmp_path: Path) -> None:
    keeper, config = Keeper(tmp_path), space.config({"split": 2})
    keeper.save([trial.candidate(config, 1)])
    content = bytearray(keeper.path(config).read_bytes())
    content[-5] ^= 1
    keeper.path(config).write_bytes(bytes(content))
    assert keeper.load(config, trial.supernet) is None
