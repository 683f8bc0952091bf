from dataclasses import replace

import pytest
from synthetic_records import INFO, SPLITS, WHOLE, measured_on_test, record

from results.pareto import pareto_set
from results.record import TrialRecord
from results.summary import summarise, summary_dict, summary_lines

CLOUD = record(0, 0.80, WHOLE, 0, cut=SPLITS, kind="anchor")
SLIM = record(1, 0.79, WHOLE * 0.8, 0, cut=SPLITS)
POOR_IMAGE = record(2, 0.70, 0, 300, cut=0, kind="anchor")
IMAGE = record(3, 0.785, 0, 1000, cut=0, kind="anchor")
SPLIT = record(4, 0.79, WHOLE * 0.4, 250)


def told(records, info=INFO):
    summary = summarise(records, pareto_set(records, info.objectives), info)
    return summary, " ".join(summary_lines(summary, info))


def test_a_split_is_compared_with_the_cheapest_plain_answers_of_cloud_quality():
    summary, words = told([CLOUD, SLIM, POOR_IMAGE, IMAGE, SPLIT])
    (best,) = summary.savings
    assert best.image is IMAGE and best.edge_only is SLIM
    assert best.bytes == pytest.approx(0.75)
    assert best.edge_flops == pytest.approx(0.5)
    assert "Splitting pays" in words
    assert "50 % fewer edge multiply-adds than the cheapest edge-only" in words
    assert "75 % fewer bytes than the cheapest image" in words


def test_the_rule_and_the_data_split_are_named():
    _, words = told([CLOUD, IMAGE, SPLIT])
    assert "Measured on validation" in words
    assert "within 0.02 of the cloud model" in words


def test_a_split_that_loses_one_comparison_is_said_not_to_pay():
    wasteful = record(5, 0.79, WHOLE * 0.4, 1500)
    summary, words = told([CLOUD, IMAGE, wasteful])
    assert not summary.savings[0].beats
    assert "No split beats the plain answers: of 1 split configuration" in words
    assert "50 % more bytes than the cheapest image" in words


def test_without_a_split_of_that_quality_it_is_said():
    poor = record(5, 0.5, 1e6, 20)
    summary, words = told([CLOUD, IMAGE, poor])
    assert summary.savings == ()
    assert "No split beats the plain answers: none on the front is within 0.02 of the cloud model" in words
    assert "whose mAP is 0.800 (validation)" in words


def test_without_an_image_of_that_quality_it_is_said():
    summary, words = told([CLOUD, POOR_IMAGE, SPLIT])
    assert summary.savings[0].bytes is None and summary.savings[0].beats
    assert "no image that was measured has that quality" in words


def test_a_finalist_is_judged_by_its_paired_interval_on_test():
    sure = measured_on_test(SPLIT, 0.77, (-0.015, 0.01))
    rival = record(9, 0.78, WHOLE * 0.4, 200)
    unsure = measured_on_test(rival, 0.78, (-0.03, 0.02))
    summary, words = told([CLOUD, IMAGE, sure, unsure])
    assert [saving.record.number for saving in summary.savings] == [SPLIT.number]
    assert "Measured on test" in words and "mAP 0.770 (test)" in words


def test_without_the_cloud_model_nothing_is_claimed():
    summary, words = told([IMAGE, SPLIT])
    assert summary.savings == () and "was not measured" in words
    assert summary_dict(summary)["splitting_pays"] is None


def test_before_a_split_is_measured_nothing_is_claimed():
    summary, words = told([CLOUD, SLIM, IMAGE])
    assert "No split has been measured yet" in words and "beats" not in words
    assert summary_dict(summary)["splitting_pays"] is None


def test_the_best_is_the_one_whose_smaller_saving_is_largest():
    lopsided = record(5, 0.795, WHOLE * 0.7, 20)
    summary, _ = told([CLOUD, SLIM, IMAGE, SPLIT, lopsided])
    assert [saving.record.number for saving in summary.savings] == [4, 5]


def gated(number: int, payload: str, size: float, share: float = 0.4) -> TrialRecord:
    made = record(number, 0.79, WHOLE * share, size)
    width = 0 if payload == "image" else 8
    return replace(made, config=replace(made.config, width=width, offload=0.2, payload=payload))


def test_a_gate_that_sends_images_is_not_called_a_split():
    summary, words = told([CLOUD, SLIM, IMAGE, gated(5, "image", 200)])
    assert "A gate pays: 1 of 1 shared configuration" in words and "Splitting pays" not in words
    assert (summary_dict(summary)["splitting_pays"], summary_dict(summary)["gate_pays"]) == (False, True)


def test_a_gate_that_sends_features_is_a_split():
    summary, words = told([CLOUD, SLIM, IMAGE, gated(5, "image", 200), gated(6, "dynamic", 150, 0.5)])
    assert "Splitting pays: 2 of 2 shared configurations of that quality" in words
    assert "1 of them by sending features" in words
    assert (summary_dict(summary)["splitting_pays"], summary_dict(summary)["gate_pays"]) == (True, True)


def test_under_splitting_pays_the_split_is_named_where_a_gate_that_sends_images_saves_more():
    summary, words = told([CLOUD, SLIM, IMAGE, gated(5, "image", 200, 0.3), gated(6, "dynamic", 100, 0.5)])
    assert [saving.record.number for saving in summary.savings] == [5, 6]
    assert "Splitting pays" in words and "trial 6 has" in words and "Trial 6:" in words


def test_where_gates_lose_the_sentence_is_of_shared_configurations():
    _, words = told([CLOUD, SLIM, IMAGE, gated(5, "image", 1500)])
    assert "No shared configuration beats the plain answers: of 1 shared configuration" in words


def test_of_a_cloud_model_that_knows_nothing_no_split_is_called_as_good():
    blind = record(0, 0.01, WHOLE, 0, cut=SPLITS, kind="anchor")
    summary, words = told([blind, IMAGE, SPLIT])
    assert "says nothing. Train it longer" in words and "pays" not in words
    assert summary_dict(summary)["splitting_pays"] is None
