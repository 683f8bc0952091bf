"""What the default run takes and what it ends with.

    python benchmarks/default_run.py --root /tmp/bare
    python benchmarks/default_run.py --read runs detection --log detection.log

Runs ``eccsearch run --budget 200 --task detection --json`` once as a process of its own below --root, which must
not exist yet, so that the cloud model and the supernet are trained within the time. Further arguments behind ``--``
go to that command. Measured: wall seconds of the process, start-up included; the peak resident memory of its
largest process; the seconds of each stage; and, from the storage, the share of the search's wall time (first search
trial begun to last one finished, all workers) that no trial spent on training and measuring. Then the front:
members at interior split points and their spans on validation, the best split within 0.02 of the cloud model on
test, the hypervolume. ``--read`` takes all of it from a finished run, stages from its log (plain lines or JSON) if
given. A run that was interrupted and continued counts the pause as overhead.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from report import Cell, Table, emit

from automl.record import SECONDS, kind_of
from automl.run_finder import find_run
from automl.run_folder import RunFolder
from automl.run_reader import read_run
from automl.settings import RunSettings
from automl.storage import open_storage
from deploy.cores import available_cores
from evaluators.measurement import Measurement
from results.hypervolume import hypervolume
from results.pareto import pareto_set
from results.plain_answers import is_split
from results.record import RunInfo, TrialRecord
from results.summary import Saving, summarise

FLOPS_SAVED, BYTES_SAVED = 0.42, 0.68
Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Process:
    """What running the command took."""

    seconds: float
    peak_gigabytes: float


def run(arguments: Sequence[str], log: Path) -> Process:
    """Run ``eccsearch run`` with its output in ``log``; raise where it fails."""
    command = [str(Path(sys.executable).with_name("eccsearch")), "run", "--json", *arguments]
    began = time.monotonic()
    with log.open("w") as output:
        started = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(started.pid, 0)
    started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {started.returncode}; its output is in {log}")
    return Process(time.monotonic() - began, usage.ru_maxrss * 1024 / 1e9)


def stage_seconds(log: str) -> dict[str, float]:
    """Return the seconds of each stage of a log of JSON or plain lines, the last one's to the log's last line."""
    begun: list[tuple[str, float]] = []
    last = 0.0
    for line in log.splitlines():
        moment, stage = _moment(line)
        last = last if moment is None else moment
        if stage is not None:
            begun.append((stage, last))
    ends = [moment for _, moment in begun[1:]] + [last]
    seconds: dict[str, float] = {}
    for (stage, start), end in zip(begun, ends, strict=True):
        seconds[stage] = seconds.get(stage, 0.0) + end - start
    return seconds


def _moment(line: str) -> tuple[float | None, str | None]:
    if line.startswith("{"):
        event = json.loads(line)
        return event.get("elapsed"), event["stage"] if event.get("event") == "stage" else None
    plain = re.match(r"\[ *(\d+):(\d+)\] (?:(.+): begins)?", line)
    return (60.0 * int(plain[1]) + int(plain[2]), plain[3]) if plain else (None, None)


def overhead(folder: RunFolder, storage: str | None, workers: int) -> float | None:
    """Return the share of the search's wall time outside its trials' own seconds; None without search trials."""
    import optuna

    study = optuna.load_study(study_name=folder.name, storage=open_storage(storage or folder.path))
    done = [t for t in study.trials if kind_of(t) == "search" and t.state == optuna.trial.TrialState.COMPLETE]
    starts = [trial.datetime_start for trial in done if trial.datetime_start]
    ends = [trial.datetime_complete for trial in done if trial.datetime_complete]
    if not starts or not ends:
        return None
    wall = (max(ends) - min(starts)).total_seconds()
    return 1 - sum(trial.user_attrs[SECONDS] for trial in done) / (wall * workers)


def front_rows(records: Sequence[TrialRecord], info: RunInfo) -> list[Row]:
    """Return the figures of the front."""
    front = pareto_set(records, info.objectives)
    interior = [record.validation for record in front if is_split(record)]
    savings = summarise(records, front, info).savings
    reach = sum(s.edge_flops >= FLOPS_SAVED and (s.bytes or 0) >= BYTES_SAVED for s in savings)
    return [
        ("front members at interior split points", "at least 12", len(interior)),
        ("their span in bytes, max/min", "at least 10", _span(interior, "bytes")),
        ("their span in edge FLOPs, max/min", "at least 4", _span(interior, "edge_flops")),
        ("splits within 0.02 of the cloud model", None, len(savings)),
        ("of these, saving 42 % edge FLOPs and 68 % bytes", "at least 1", reach),
        *(_saving_rows(best_saving(savings)) if savings else []),
        ("hypervolume, anchors included", None, hypervolume(records, info)),
    ]


def best_saving(savings: Sequence[Saving]) -> Saving:
    """Return the saving that goes furthest towards both targets at once."""
    return max(savings, key=lambda s: min(s.edge_flops / FLOPS_SAVED, (s.bytes or 0) / BYTES_SAVED))


def _span(measured: Sequence[Measurement], name: str) -> float | None:
    values = [each[name] for each in measured]
    least = min(values, default=0.0)
    return max(values) / least if least else None


def _saving_rows(best: Saving) -> list[Row]:
    finalist, number = best.record.finalist, best.record.number
    gap = "[{:+.4f}, {:+.4f}]".format(*finalist.gap_interval) if finalist else None
    return [
        (f"trial {number}: edge FLOPs saved, %", "at least 42", 100 * best.edge_flops),
        (f"trial {number}: bytes saved, %", "at least 68", None if best.bytes is None else 100 * best.bytes),
        (f"trial {number}: quality minus the cloud model's, 95 %", "above -0.02", gap),
    ]


def cost_rows(process: Process | None, log: str | None, share: float | None) -> list[Row]:
    """Return the figures of time and memory; what was not observed stays open."""
    stages = stage_seconds(log or "")
    rest = process.seconds - sum(stages.values()) if process else None
    rows: list[Row] = [
        ("wall time, minutes", "at most 15", process.seconds / 60 if process else None),
        ("peak memory, GB", "under 3", process.peak_gigabytes if process else None),
        ("outside training and measuring, % of the search", "under 5", None if share is None else 100 * share),
    ]
    rows += [(f"stage {name}, s", None, seconds) for name, seconds in stages.items()]
    return [*rows, ("before the first stage and after the last, s", None, rest)]


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--root", type=Path, help="Run below this new folder.")
    what.add_argument("--read", nargs=2, metavar=("ROOT", "NAME"), help="Read a finished run instead.")
    parser.add_argument("--log", type=Path, help="With --read: the run's log.")
    parser.add_argument("--task", default="detection")
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    parser.add_argument("more", nargs="*", help="Further arguments of eccsearch run.")
    options = parser.parse_args()
    if options.root and options.root.exists():
        parser.error(f"--root {options.root} exists: a bare machine has no cache; name a new folder")
    return options


def main() -> None:
    options = parsed()
    process = None
    if options.root:
        options.root.mkdir(parents=True)
        options.log = options.root / "run.jsonl"
        asked = ("--task", options.task, "--budget", str(options.budget), "--root", str(options.root))
        process = run([*asked, "--name", "default", *options.more], options.log)
    folder = find_run(*((options.root, "default") if options.root else (Path(options.read[0]), options.read[1])))
    settings = RunSettings.load(folder)
    info, records = read_run(folder, settings.storage)
    log = options.log.read_text() if options.log else None
    rows = cost_rows(process, log, overhead(folder, settings.storage, settings.workers)) + front_rows(records, info)
    title = f"{info.task}, {settings.budget} trials, {available_cores()} cores, {settings.threads} threads"
    emit([Table(title, ("figure", "target", "measured"), tuple(rows))], options.json)


if __name__ == "__main__":
    main()
