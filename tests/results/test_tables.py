import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console
from synthetic_records import realistic

from results.naming import si
from results.outcome import print_outcome
from results.panel import trial_panel
from results.pareto import pareto_set
from results.plain_answers import is_shared
from results.table import ROWS, compact_table, front_table, run_table
from search_spaces.objective import Constraint


def printed(renderable, width=80):
    console = Console(file=io.StringIO(), width=width)
    console.print(renderable)
    return console.file.getvalue()


def assert_fits(text):
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "…" not in text


def rows_of(text):
    return [line.split() for line in text.splitlines() if re.match(r"\s*\d+ ", line)]


def test_the_front_takes_one_line_a_member_in_80_columns(front, info):
    text = printed(front_table(front, info))
    assert_fits(text)
    assert [int(row[0]) for row in rows_of(text)] == [member.number for member in front]


def test_nothing_more_appears_in_a_wider_terminal(front, info):
    assert rows_of(printed(front_table(front, info), 80)) == rows_of(printed(front_table(front, info), 300))


def test_validation_and_test_stand_side_by_side(front, info):
    text = printed(front_table(front, info))
    assert re.search(r"mAP +mAP", text) and re.search(r"val +test", text)
    first = front[0]
    assert f"{first.validation.quality:.3f} {first.finalist.test.quality:.3f}" in text


def test_what_was_not_measured_on_test_has_a_dash(info):
    record = realistic(5, finalists=False)[-1]
    assert rows_of(printed(front_table([record], info)))[0].count("-") == 3


def test_the_widest_values_still_fit(front, info):
    wide = replace(
        front[0],
        number=99999,
        config=replace(front[0].config, split=11, edge_modules=(16, 16, 16, 16), width=128, stride=2, bits=8),
    )
    text = printed(front_table([wide], replace(info, splits=12, metric="top-1")))
    assert_fits(text)
    assert "99999" in text and "16-16-16-16" in text and "128ch/2 8b" in text


def test_a_smaller_image_is_shown_beside_the_split_and_fits(front, info):
    config = replace(
        front[0].config, split=11, edge_modules=(4, 3, 4, 2), width=24, stride=2, bits=8, resolution=224,
        offload=0.2, payload="dynamic", image_format="webp", image_quality=90, image_resolution=192,
    )  # fmt: skip
    smaller = replace(front[0], number=99999, config=config)
    assert "11@224" in printed(front_table([smaller], info))
    assert_fits(printed(front_table([replace(smaller, config=replace(config, offload=1.0, payload=""))], info)))
    assert "reduced to 48 x 48" in " ".join(printed(run_table([smaller], [smaller], info)).split())
    assert "reduced to 48 x 48" not in " ".join(printed(run_table([front[0]], [front[0]], info)).split())
    assert "224 x 224 pixels of the image, reduced" in printed(trial_panel(smaller, info, True))


@pytest.mark.parametrize(
    "more", [("cloud_flops",), ("edge_params", "edge_memory"), ("cloud_flops", "edge_params", "edge_memory")]
)
def test_further_objectives_get_columns_of_their_own(front, info, more):
    text = printed(front_table(front, replace(info, objectives=info.objectives + more)))
    assert_fits(text)
    assert len(rows_of(text)) == len(front)


def with_latency(record, milliseconds):
    measured = replace(record.validation, latency=milliseconds, latency_p50=1.0, latency_p95=3.0, energy=0.25)
    return replace(record, validation=measured)


def test_latency_is_shown_where_it_was_measured_and_energy_where_it_is_an_objective(front, info):
    timed = [with_latency(record, 12.34) for record in front]
    text = printed(front_table(timed, info))
    assert_fits(text)
    assert "latency" in text and text.count("12.3") >= len(front)
    assert "latency" not in printed(front_table(front, info))
    both = printed(front_table(timed, replace(info, objectives=("quality", "latency", "energy"))))
    assert_fits(both)
    assert both.count("0.25") >= len(front)
    panel = printed(trial_panel(replace(timed[0], finalist=None), info, on_front=True))
    assert "12.3 ms" in panel and "0.25 mJ" in panel


def test_the_plain_answers_and_the_meaning_of_the_columns_are_printed(records, front, info):
    text = printed(run_table(records, front, info))
    assert_fits(text)
    assert "two plain answers" in text and "multiply-adds" in text
    assert all(name in text for name in ("jpeg", "webp", "avif", "nothing"))


def test_of_a_large_front_what_was_tested_and_both_ends_are_shown(front, info):
    large = [replace(front[0], number=number, finalist=None) for number in range(3, 300)]
    large[100] = replace(large[100], finalist=front[0].finalist)
    text = printed(run_table(large, large, info))
    shown = [int(row[0]) for row in rows_of(text.partition("The two plain answers")[0])]
    assert len(shown) == ROWS and {3, 103, 299} <= set(shown)
    assert "297 members; 32 are shown" in text
    everything = printed(run_table(large, large, info, whole=True))
    shown = [int(row[0]) for row in rows_of(everything.partition("The two plain answers")[0])]
    assert shown == [member.number for member in large]
    assert "are shown" not in everything


def test_what_a_gate_sends_takes_two_lines_rather_than_a_figure_s_digits(front, info):
    both = {
        "payload": "dynamic",
        "offload": 0.6,
        "image_format": "webp",
        "image_quality": 80,
        "image_resolution": 256,
    }
    gated = replace(front[0], number=12345, config=replace(front[0].config, split=4, width=16, bits=4, **both))
    text = printed(front_table([gated], info))
    assert_fits(text)
    assert si(gated.validation.edge_flops).replace(" ", "") in text


def test_where_no_plain_answer_meets_the_constraints_that_is_said(front, info):
    shared = [record for record in front if is_shared(record, info)]
    text = " ".join(printed(run_table(shared, shared, info)).split())
    assert "Neither plain answer" in text and "two plain answers" not in text


def test_the_compact_table_shows_both_ends_of_the_front(front, info):
    rows = rows_of(printed(compact_table(front, info, 6)))
    assert len(rows) == 6
    assert (int(rows[0][0]), int(rows[-1][0])) == (front[0].number, front[-1].number)


def test_a_panel_says_where_refining_made_a_trial_worse(records, info):
    tested = next(record for record in records if record.finalist)
    worse = replace(tested.finalist.validation, quality=tested.validation.quality - 0.1)
    text = printed(trial_panel(replace(tested, finalist=replace(tested.finalist, validation=worse)), info, True))
    assert "Refining lowered its" in text
    better = replace(tested.finalist.validation, quality=tested.validation.quality)
    assert "Refining" not in printed(
        trial_panel(replace(tested, finalist=replace(tested.finalist, validation=better)), info, True)
    )


def test_every_panel_fits_and_says_everything(records, info):
    for record in records[::9] + records[-3:]:
        text = printed(trial_panel(record, info, on_front=record.finalist is not None))
        assert_fits(text)
        assert f"trial {record.number}" in text and "edge multiply-adds" in text
        assert ("refined, test" in text) == (record.finalist is not None)


def test_an_empty_front_is_explained(info):
    records = [replace(record, feasible=False) for record in realistic(5, finalists=False)]
    console = Console(file=io.StringIO(), width=80)
    print_outcome(console, records, info, [Constraint.parse("edge_memory<=-1")])
    assert "none of 33 trials meets every constraint" in " ".join(console.file.getvalue().split())


def test_the_outcome_ends_with_the_summary(records, front, info):
    console = Console(file=io.StringIO(), width=80)
    print_outcome(console, records, info)
    text = " ".join(console.file.getvalue().split())
    assert "Hypervolume 0." in text and "Splitting pays" in text
    assert pareto_set(records, info.objectives) == front
