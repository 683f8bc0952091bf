"""A mixture answers every sample as the one or as the other outcome does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluators.mixture import mixture
from evaluators.outcome import Outcome
from evaluators.top1 import top1

TARGETS = tuple({"label": torch.tensor(label)} for label in (0, 1, 2, 1))


def outcome(guesses: list[int], size: int) -> Outcome:
    predictions = [{"scores": np.eye(3)[guess]} for guess in guesses]
    return Outcome(predictions, TARGETS, size * np.arange(1, len(guesses) + 1))


EDGE, CLOUD = outcome([0, 2, 2, 2], 0), outcome([1, 1, 2, 1], 10)
MASKS = st.lists(st.booleans(), min_size=4, max_size=4).map(lambda bits: np.array(bits, dtype=bool))


@given(MASKS)
def test_every_sample_has_the_prediction_and_the_packet_of_its_own_side(mask: np.ndarray) -> None:
    mixed = mixture(EDGE, CLOUD, mask)
    for at, taken in enumerate(mask):
        source = CLOUD if taken else EDGE
        assert mixed.predictions[at] is source.predictions[at]
        assert mixed.packet_bytes[at] == source.packet_bytes[at]
    assert mixed.targets == TARGETS


@given(MASKS)
def test_swapped_sides_under_the_opposite_mask_are_the_same(mask: np.ndarray) -> None:
    one, other = mixture(EDGE, CLOUD, mask), mixture(CLOUD, EDGE, ~mask)
    assert one.predictions == other.predictions
    assert (one.packet_bytes == other.packet_bytes).all()


def test_quality_is_of_the_mixed_predictions() -> None:
    mixed = mixture(EDGE, CLOUD, np.array([False, True, False, True]))
    assert (top1(EDGE.predictions, TARGETS), top1(CLOUD.predictions, TARGETS)) == (0.5, 0.75)
    assert top1(mixed.predictions, mixed.targets) == 1.0
    assert mixed.packet_bytes.tolist() == [0, 20, 0, 40]


@pytest.mark.parametrize("mask", [np.ones(3, bool), np.ones(4, int), np.ones((4, 1), bool)])
def test_a_mask_of_other_samples_is_refused(mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match="4 and 4 samples cannot be mixed"):
        mixture(EDGE, CLOUD, mask)
