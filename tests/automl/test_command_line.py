"""The command line: bad input is one line and exit code 2, before anything is trained or overwritten."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from automl.cli import app
from automl.cli.surroundings import prepare


def fails(arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the command line and return the one line that it fails with."""
    monkeypatch.setattr(sys, "argv", ["eccsearch", *arguments])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("eccsearch: "), error
    return error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--task", "detecton"], "unknown task 'detecton': did you mean 'detection'?"),
        (["--sampler", "nsga"], "unknown sampler 'nsga': did you mean 'nsga2'?"),
        (["--objective", "byte"], "unknown objective 'byte': did you mean 'bytes'?"),
        (["--constraint", "byte<=3"], "unknown measure in --constraint 'byte'"),
        (["--constraint", "bytes<3"], "is not of the form NAME<=NUMBER"),
        (["--fix", "bit=3"], "unknown parameter 'bit': did you mean 'bits'?"),
        (["--fix", "bits=9"], "parameter 'bits' has no choice 9; valid: 1, 2, 3"),
        (["--fix", "bits=5..3"], "parameter 'bits' is narrowed to nothing"),
        (["--budget", "0"], "--budget 0: at least 1 trial is needed"),
        (["--timeout", "soon"], "--timeout 'soon' is no duration"),
        (["--space", "absent.toml"], "cannot read absent.toml"),
        (["--profile", "absent.toml"], "cannot read absent.toml"),
        (["--objective", "latency"], "'latency' needs a device profile: give --profile FILE"),
        (["--constraint", "energy<=9"], "'energy' needs a device profile: give --profile FILE"),
        (["--quiet", "--json"], "--quiet and --json exclude each other"),
        (["--workers", "0"], "--workers and --threads must be at least 1"),
    ],
)
def test_what_cannot_be_met_is_said_in_one_line(
    options: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["run", "--task", "classification", "--root", str(tmp_path / "runs"), *options]
    assert message in fails(arguments, capsys, monkeypatch)
    assert not (tmp_path / "runs" / "cache").exists()


@pytest.mark.parametrize("content", [b"not a database at all", b""])
def test_a_damaged_database_is_named_and_left_alone(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "classification" / "study.db"
    file.parent.mkdir()
    file.write_bytes(content)
    assert str(file) in fails(["run", "--task", "classification", "--root", str(tmp_path)], capsys, monkeypatch)
    assert file.read_bytes() == content


def test_another_programs_database_is_named_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "classification" / "study.db"
    file.parent.mkdir()
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    message = fails(["run", "--task", "classification", "--root", str(tmp_path)], capsys, monkeypatch)
    assert "another program" in message


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["pareto", "--name", "nothing"], "no run 'nothing'"),
        (["resume"], "no run below"),
        (["show", "3"], "no run below"),
        (["export", "--knee"], "no run below"),
        (["refine", "--trial", "3"], "no run below"),
    ],
)
def test_a_run_that_is_not_there_is_said(
    command: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert message in fails([*command, "--root", str(tmp_path)], capsys, monkeypatch)


def test_torch_and_torchvision_that_do_not_match_are_told_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def mismatch() -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(app, "app", mismatch)
    assert "install both from the same index" in fails([], capsys, monkeypatch)


def test_help_is_quick_because_it_imports_nothing_heavy() -> None:
    code = "import sys, automl.cli.app; sys.exit(any(m in sys.modules for m in ('torch', 'optuna', 'matplotlib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_workers_that_start_anew_keep_libraries_advice_to_themselves(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "")
    monkeypatch.delenv("PYTHONWARNINGS")
    monkeypatch.setenv("GOMP_SPINCOUNT", "3000")
    with warnings.catch_warnings():
        prepare()
        child = [sys.executable, "-c", "import warnings; warnings.warn('advice', FutureWarning)"]
        subprocess.run(child, check=True)
    assert capfd.readouterr().err == ""
