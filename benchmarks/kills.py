"""Kill a search at random moments, resume it each time, and compare it with an unbroken one.

    python benchmarks/kills.py --kills 30 --budget 40
    python benchmarks/kills.py --kills 30 -- python mine.py --root {root} --name {name} --budget {budget}

The command after ``--`` runs the search; {root}, {name} and {budget} are filled in, and it must leave its study in
{root}/{name}/study.db. The default is a small classification run of ``eccsearch``. It is run once unbroken; then
under another name, where kill -9 strikes N times after a random part of the time that the unbroken one took.
Checked: every search trial finished, none twice, none RUNNING, the same (parameters, values) in the same order as
unbroken (by their places in the sequence, for workers give numbers as it happens), and the database intact. Exit
code 1 where a check fails.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

DEFAULT = (
    "eccsearch run --task classification --budget {budget} --name {name} --root {root} --seed 0 --quiet"
    " --cloud-steps 300 --teach-steps 40 --trial-steps 4 --refine-steps 20 --finalists 3"
)


@dataclass(frozen=True)
class Trace:
    """What a search left behind: finished (kind, parameters, values) by place, and trials by state."""

    finished: tuple[tuple[Any, ...], ...]
    states: dict[str, int]
    integrity: str


def trace(file: Path) -> Trace:
    """Read a study's file."""
    with closing(sqlite3.connect(file)) as connection:
        integrity = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    url = f"sqlite:///{file.absolute()}"
    study = optuna.load_study(study_name=optuna.get_all_study_names(url)[0], storage=url)
    trials = sorted(study.trials, key=_place)
    finished = tuple(
        (trial.user_attrs.get("kind"), json.dumps(trial.params, sort_keys=True), tuple(trial.values))
        for trial in trials
        if trial.state == TrialState.COMPLETE
    )
    return Trace(finished, dict(Counter(trial.state.name for trial in trials)), integrity)


def _place(trial: FrozenTrial) -> tuple[Any, ...]:
    """Return what orders trials however many workers gave them their numbers."""
    kind, params = trial.user_attrs.get("kind"), json.dumps(trial.params, sort_keys=True)
    return (0, params) if kind == "anchor" else (1, trial.user_attrs.get("index", trial.number))


def command_for(template: Sequence[str], root: Path, name: str, budget: int) -> list[str]:
    """Fill in the command."""
    return [part.format(root=root, name=name, budget=budget) for part in template]


def unbroken(template: Sequence[str], root: Path, budget: int) -> float:
    """Run the command once to its end and return its seconds."""
    began = time.monotonic()
    subprocess.run(command_for(template, root, "unbroken", budget), check=True)
    return time.monotonic() - began


def broken(template: Sequence[str], root: Path, budget: int, kills: int, longest: float, seed: int) -> int:
    """Run the command, killing it at most ``kills`` times, then let it end; return how often it was killed."""
    moments = random.Random(seed)
    struck = 0
    for _ in range(kills):
        process = subprocess.Popen(command_for(template, root, "broken", budget))
        try:
            process.wait(moments.uniform(0.0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            struck += 1
    subprocess.run(command_for(template, root, "broken", budget), check=True)
    return struck


def complaints(whole: Trace, resumed: Trace, budget: int) -> list[str]:
    """Return what is wrong with the resumed search, one line each."""
    found = []
    searched = [row for row in resumed.finished if row[0] != "anchor"]
    if len(searched) != budget:
        found.append(f"{len(searched)} finished search trials, not {budget}")
    if len({row[1] for row in resumed.finished}) != len(resumed.finished):
        found.append("a configuration was measured twice")
    if resumed.states.get("RUNNING"):
        found.append(f"{resumed.states['RUNNING']} trials stay RUNNING")
    if resumed.finished != whole.finished:
        pairs = zip(resumed.finished, whole.finished, strict=False)
        first = next(
            (i for i, (a, b) in enumerate(pairs) if a != b), min(len(resumed.finished), len(whole.finished))
        )
        found.append(f"differs from the unbroken search from its finished trial {first} on")
    if resumed.integrity != "ok":
        found.append(f"integrity_check: {resumed.integrity}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--budget", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--longest", type=float, help="Longest time before a kill; default 1/4 of the unbroken run."
    )
    parser.add_argument("command", nargs="*", default=DEFAULT.split())
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        seconds = unbroken(options.command, root, options.budget)
        longest = options.longest or max(2.0, seconds / 4)
        struck = broken(options.command, root, options.budget, options.kills, longest, options.seed)
        whole, resumed = (trace(root / name / "study.db") for name in ("unbroken", "broken"))
    wrong = complaints(whole, resumed, options.budget)
    print(f"unbroken {seconds:.1f} s; killed {struck} of {options.kills} times; states {resumed.states}")
    print("\n".join(wrong) or f"equal: {len(resumed.finished)} finished trials, none twice, database intact")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
