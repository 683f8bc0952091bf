"""What each reporter prints of the same run, on a clock that the test turns."""

from __future__ import annotations

import io
import json
import os

import pytest
from rich.cells import cell_len
from rich.console import Console

from automl.live import reporter_for
from automl.reporters.json_lines import JsonReporter
from automl.reporters.pace import Pace
from automl.reporters.plain import PlainReporter
from automl.reporters.quiet import QuietReporter
from automl.reporters.terminal import RichReporter
from deploy.errors import UserError
from evaluators.measurement import Measurement
from results.record import RunInfo, TrialRecord
from search_spaces.config import Config

INFO = RunInfo("detection", "detection", "mAP", ("quality", "edge_flops", "bytes"), 9, 60e6, 27_648)


class HandClock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def trial(number):
    measured = Measurement(0.5 + number / 1000, 12.3e6, 342.0, 50e6, 1e5, 4e5)
    return TrialRecord(number, "search", Config(4, (4, 3, 2, 1), 4, 8, 2, 3), measured)


def play(reporter, clock, trials=3):
    """A training stage of 30 s in steps of 1 s, then trials of 4 s each."""
    reporter.stage("cloud model", 30)
    for step in range(1, 31):
        clock.now += 1
        reporter.advance(step, f"loss {step / 100:.2f}")
    reporter.say("the search will take about 1 min")
    reporter.stage("search", trials)
    for number in range(trials):
        clock.now += 4
        reporter.trial(INFO, trial(number), [trial(n) for n in range(number + 1)], 0.5 + number / 100)
        reporter.advance(number + 1)
    reporter.close()


@pytest.fixture
def clock():
    return HandClock()


def test_plain_lines_are_sparse_and_say_the_time_left(clock):
    stream = io.StringIO()
    play(PlainReporter(stream, clock), clock)
    assert stream.getvalue().splitlines() == [
        "[  0:00] cloud model: begins, 30 steps",
        "[  0:10] cloud model: 10/30, loss 0.10, 20 s left",
        "[  0:20] cloud model: 20/30, loss 0.20, 10 s left",
        "[  0:30] cloud model: 30/30, loss 0.30",
        "[  0:30] the search will take about 1 min",
        "[  0:30] cloud model: done in 30 s",
        "[  0:30] search: begins, 3 steps",
        *(
            f"[  0:{34 + 4 * n}] {n + 1}/3 trial {n}: split 4/9, 8ch/2 3b: mAP {0.5 + n / 1000:.3f}, 342 B, "
            f"edge 12.3 M multiply-adds; front {n + 1}, hypervolume {0.5 + n / 100:.4f}{left}"
            for n, left in enumerate((", 8.0 s left", ", 4.0 s left", ""))
        ),
        "[  0:42] search: done in 12 s",
    ]


def test_a_stage_that_is_broken_off_is_not_called_done(clock):
    stream = io.StringIO()
    reporter = PlainReporter(stream, clock)
    reporter.stage("cloud model", 30)
    clock.now += 4
    reporter.advance(12)
    reporter.close()
    assert stream.getvalue().splitlines()[-1] == "[  0:04] cloud model: ends at 12/30 after 4.0 s"


def test_a_stage_may_turn_out_shorter_than_it_was_expected(clock):
    stream = io.StringIO()
    reporter = PlainReporter(stream, clock)
    reporter.stage("finalists", 30)
    reporter.expect(12)
    reporter.advance(0)
    clock.now += 10
    reporter.advance(6)
    reporter.advance(12)
    reporter.close()
    assert stream.getvalue().splitlines()[1:] == [
        "[  0:10] finalists: 6/12, 10 s left",
        "[  0:10] finalists: done in 10 s",
    ]


def test_a_trial_that_no_step_follows_is_still_written(clock):
    stream = io.StringIO()
    reporter = PlainReporter(stream, clock)
    reporter.stage("search", 5)
    reporter.trial(INFO, trial(7), [], 0.1)
    reporter.close()
    assert "trial 7: split 4/9" in stream.getvalue()


def test_json_is_one_object_a_line(clock):
    stream = io.StringIO()
    play(JsonReporter(stream, clock), clock)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [e["event"] for e in events[:2]] == ["stage", "progress"]
    assert (events[1]["stage"], events[1]["done"], events[1]["total"]) == ("cloud model", 1, 30)
    assert (events[1]["elapsed"], events[1]["left"], events[1]["note"]) == (1.0, 29.0, "loss 0.01")
    found = [e for e in events if e["event"] == "trial"]
    assert [e["trial"]["trial"] for e in found] == [0, 1, 2]
    assert found[-1]["front"] == [0, 1, 2] and found[-1]["hypervolume"] == 0.52
    assert events[-1]["event"] == "end"


def test_json_progress_comes_at_most_once_a_second_and_at_the_end(clock):
    stream = io.StringIO()
    reporter = JsonReporter(stream, clock)
    reporter.stage("teaching", 1000)
    for step in range(1, 1001):
        clock.now += 0.01
        reporter.advance(step)
    done = [json.loads(line).get("done") for line in stream.getvalue().splitlines()]
    assert len(done) <= 13 and done[-1] == 1000


def test_the_live_view_fits_80_columns_and_shows_stage_front_and_hypervolume(clock):
    console = Console(file=io.StringIO(), width=80, height=30, force_terminal=True)
    reporter = RichReporter(console, clock)
    reporter.stage("distilling the supernet under the cloud model's teaching", 20_000)
    reporter.advance(5_000, "loss 0.82, sandwich: largest, smallest, two at random, and a note that is too long")
    clock.now += 4_000
    reporter.advance(10_000)
    front = [trial(n) for n in range(40)]
    reporter.trial(INFO, trial(39), front, 0.6106)
    plain = Console(file=io.StringIO(), width=80, height=30)
    plain.print(reporter.view())
    reporter.close()
    text = plain.file.getvalue()
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "10000/20000" in text and "2 h 13 min left" in text
    assert "40 members, hypervolume 0.6106" in text and "trial 39" in text
    assert len(text.splitlines()) <= 30 - 2


def test_the_live_view_shrinks_with_the_terminal_and_goes_away(clock):
    console = Console(file=io.StringIO(), width=80, height=8, force_terminal=True)
    reporter = RichReporter(console, clock)
    play(reporter, clock)
    shown = console.file.getvalue()
    assert "the search will take about 1 min" in shown and "✓ " in shown
    assert shown.endswith("\x1b[2K") or "\x1b[?25h" in shown


def test_quiet_is_quiet(clock, capsys):
    play(QuietReporter(), clock)
    assert capsys.readouterr() == ("", "")


def test_the_reporter_fits_the_output():
    terminal = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "xterm"})
    pipe = Console(file=io.StringIO(), force_terminal=False)
    dumb = Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert isinstance(reporter_for(terminal), RichReporter)
    assert isinstance(reporter_for(pipe), PlainReporter)
    assert isinstance(reporter_for(dumb), PlainReporter)
    assert isinstance(reporter_for(terminal, json=True), JsonReporter)
    assert isinstance(reporter_for(terminal, quiet=True), QuietReporter)
    with pytest.raises(UserError, match="--quiet and --json exclude each other"):
        reporter_for(pipe, quiet=True, json=True)


@pytest.mark.parametrize("kind", [PlainReporter, JsonReporter])
def test_a_reader_that_goes_away_does_not_end_the_run(kind, clock):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        play(kind(stream, clock), clock)


def test_time_left_counts_only_the_steps_of_this_process(clock):
    pace = Pace("search", 200, clock)
    pace.advance(100)
    assert pace.left is None
    clock.now += 30
    pace.advance(110)
    assert pace.left == pytest.approx(270)
    clock.now += 5
    assert pace.left == pytest.approx(265)
    assert pace.share == pytest.approx(0.55)
