"""The search beside its rivals: every figure as it is counted by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from synthetic_records import INFO, WHOLE, edge_only, image, measured_on_test, record

from results.comparison import Entry, View, front_of, views
from results.hypervolume import hypervolume
from results.outcome import print_outcome, print_rivals
from results.record import TrialRecord
from results.rival_point import Figures, OnTest, RivalPoint
from results.rivals_table import rivals_document, view_lines
from search_spaces.config import Config

CLOUD = replace(edge_only(0, (4, 4, 4, 4)), validation=replace(edge_only(0, (4,) * 4).validation, quality=0.7))


def rival(name: str, quality: float, edge_flops: float, size: float, test: OnTest | None = None) -> RivalPoint:
    settings = image(0, "jpeg", int(size) % 89 + 1, 96).config.to_params() if name == "image" else {}
    return RivalPoint(name, settings, f"{name} {size:g}", Figures(quality, edge_flops, size), test)


def on_test(quality: float, edge_flops: float, size: float, low: float) -> OnTest:
    return OnTest(Figures(quality, edge_flops, size), (quality - 0.1, quality + 0.1), (low, 0.1))


RIVALS = [
    rival("image", 0.69, 0, 1000),
    rival("image", 0.70, 0, 2000),
    rival("image", 0.60, 0, 500),
    rival("edge only", 0.70, WHOLE, 0),
    rival("edge only", 0.695, WHOLE / 2, 0),
    rival("plain cut", 0.70, WHOLE / 4, 9000),
    rival("cascade", 0.65, WHOLE / 2, 200),
    rival("fixed bottleneck", 0.70, WHOLE / 8, 150),
]
RECORDS = [CLOUD, record(1, 0.692, WHOLE / 4, 250), record(2, 0.66, WHOLE / 10, 100)]


def view(records: list[TrialRecord] = RECORDS, points: list[RivalPoint] = RIVALS, at: int = 0) -> View:
    return views(records, INFO, points)[at]


def test_the_searchs_hypervolume_is_the_one_that_pareto_prints() -> None:
    assert view().hypervolume == pytest.approx(hypervolume(RECORDS, INFO))


def test_all_rivals_together_have_more_than_each_and_the_ratio_is_to_that() -> None:
    here = view()
    assert all(here.volume(entries) <= here.union for entries in here.rivals.values())
    assert here.ratio == here.hypervolume / here.union


def test_a_point_is_dominated_by_what_is_nowhere_worse() -> None:
    here = view()
    assert here.dominated("plain cut") == (0, 1)
    assert here.dominated("cascade") == (1, 1)
    assert here.dominated("fixed bottleneck") == (0, 1)
    assert here.dominated_share == pytest.approx(1 / 3)
    same = view([*RECORDS, record(3, 0.70, WHOLE / 8, 150)])
    assert same.dominated("fixed bottleneck") == (1, 1)


def test_savings_are_against_the_cheapest_of_the_cloud_models_quality() -> None:
    (saving,) = view().savings
    assert (saving.best.words, saving.image.words, saving.edge_only.words) == (
        "trial 1",
        "image 1000",
        "edge only 0",
    )
    assert saving.bytes == pytest.approx(0.75)
    assert saving.edge_flops == pytest.approx(0.5)


def test_where_no_split_is_as_good_nothing_is_saved() -> None:
    (saving,) = view([CLOUD, record(2, 0.66, WHOLE / 10, 100)]).savings
    assert saving.best is None and saving.bytes is None and saving.edge_flops is None
    assert "no split is as good" in " ".join(view_lines(view([CLOUD, record(2, 0.66, WHOLE / 10, 100)])))


def test_refined_finalists_are_told_from_what_the_search_measured() -> None:
    better = replace(RECORDS[1].validation, quality=0.71)
    refined = measured_on_test(RECORDS[1], 0.7, (-0.005, 0.02))
    refined = replace(refined, finalist=replace(refined.finalist, validation=better))
    as_searched, with_finalists = views([CLOUD, refined, RECORDS[2]], INFO, RIVALS)
    assert as_searched.savings[0].best.words == "trial 1"
    assert with_finalists.savings[0].best.words in ("trial 1", "trial 1 refined")
    assert with_finalists.hypervolume > as_searched.hypervolume


def test_on_test_a_quality_can_be_asked_to_be_surely_that_of_the_cloud_model() -> None:
    cloud = measured_on_test(CLOUD, 0.7, (0.0, 0.0))
    split = measured_on_test(RECORDS[1], 0.695, (-0.02, 0.0))
    points = [
        replace(RIVALS[0], test=on_test(0.69, 0, 1000, -0.03)),
        replace(RIVALS[1], test=on_test(0.70, 0, 2000, -0.009)),
        replace(RIVALS[3], test=on_test(0.70, WHOLE, 0, 0.0)),
    ]
    near, sure = view([cloud, split], points, 2).savings
    assert (near.best.words, near.image.words) == ("trial 1 refined", "image 1000")
    assert (sure.best, sure.image.words) == (None, "image 2000")


def test_an_image_that_the_run_measured_is_its_member_on_test_too() -> None:
    cloud = measured_on_test(CLOUD, 0.7, (0.0, 0.0))
    point = replace(RIVALS[0], test=on_test(0.69, 0, 1000, -0.03))
    own = replace(image(5, "jpeg", 50, 96), config=Config.from_params(point.settings))
    assert [entry.words for entry in view([cloud], [point], 2).searched] == ["trial 0 refined"]
    assert [entry.words for entry in view([cloud, own], [point], 2).searched] == ["trial 0 refined", "trial 5"]


def test_without_the_cloud_model_nothing_is_compared() -> None:
    assert views([image(0, "jpeg", 50, 96)], INFO, RIVALS) == []


FIGURES = st.builds(Figures, *[st.sampled_from([0.0, 0.25, 0.5, 1.0])] * 3)


@given(st.lists(FIGURES.map(lambda figures: Entry("x", figures)), min_size=1, max_size=8))
def test_a_front_dominates_all_of_its_members(entries: list[Entry]) -> None:
    here = replace(view(), searched=tuple(front_of(entries)), rivals={"cascade": tuple(entries)})
    beaten, count = here.dominated("cascade")
    assert beaten == count == len(front_of(entries))


def test_the_figures_are_printed_and_written_alike() -> None:
    compared = views(RECORDS, INFO, RIVALS)
    console = Console(width=80, record=True, quiet=False, file=None)
    with console.capture() as caught:
        print_rivals(console, RECORDS, INFO, RIVALS)
        print_outcome(console, RECORDS, INFO, rivals=RIVALS)
    text = " ".join(caught.get().split())
    document = rivals_document(compared, INFO, RIVALS)
    volumes = document["views"][0]["hypervolume"]
    assert f"{volumes['ratio']:.3f} times the hypervolume of all rivals together" in text
    assert "75 % fewer bytes than the cheapest image" in text
    assert "Rivals: on validation" in text
    assert document["views"][0]["dominated"]["share"] == pytest.approx(1 / 3)
    assert [RivalPoint.from_dict(point) for point in document["points"]] == RIVALS
