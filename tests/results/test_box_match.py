import numpy as np

from results.box_match import matched_boxes


def boxes(*rows: tuple[float, float, int]) -> dict[str, np.ndarray]:
    """Return 10-pixel boxes of (left, score, label)."""
    sides = [[left, 0, left + 10, 10] for left, _, _ in rows]
    return {
        "boxes": np.array(sides, dtype=np.float32).reshape(-1, 4),
        "scores": np.array([score for _, score, _ in rows], dtype=np.float32),
        "labels": np.array([label for _, _, label in rows], dtype=np.int64),
    }


def test_boxes_match_within_the_tolerances_only():
    first = boxes((0, 0.9, 1))
    assert matched_boxes(first, boxes((0.4, 0.9005, 1)), 0.5, 1e-3) == 1
    assert matched_boxes(first, boxes((0.6, 0.9, 1)), 0.5, 1e-3) == 0
    assert matched_boxes(first, boxes((0, 0.902, 1)), 0.5, 1e-3) == 0
    assert matched_boxes(first, boxes((0, 0.9, 2)), 0.5, 1e-3) == 0


def test_a_box_is_the_partner_of_one_box_only():
    twice = boxes((0, 0.9, 1), (0.1, 0.9, 1))
    assert matched_boxes(twice, boxes((0, 0.9, 1)), 0.5, 1e-3) == 1
    assert matched_boxes(twice, twice, 0.5, 1e-3) == 2


def test_no_boxes_match_nothing():
    assert matched_boxes(boxes(), boxes((0, 0.9, 1)), 0.5, 1e-3) == 0
    assert matched_boxes(boxes((0, 0.9, 1)), boxes(), 0.5, 1e-3) == 0
