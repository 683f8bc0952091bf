"""Workers wait until they are released, and end with the process that started them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automl.exit_codes import INTERRUPTED
from automl.workers import Orphaned, Workers
from deploy.errors import UserError

FORKED_OR_STARTED = pytest.mark.parametrize("forked", [True, False])


def leave(file: Path, seconds: float, orphaned: Orphaned) -> int:
    file.write_text(str(os.getpid()))
    time.sleep(seconds)
    return int(orphaned())


def complain(orphaned: Orphaned) -> int:
    raise UserError("the disk is full: free some space")


def appeared(file: Path) -> str:
    while not (file.exists() and file.read_text()):
        time.sleep(0.01)
    return file.read_text()


@FORKED_OR_STARTED
def test_released_workers_do_the_work_in_processes_of_their_own(tmp_path: Path, forked: bool) -> None:
    with Workers(leave, (tmp_path / "pid", 0.0), 1, forked) as workers:
        assert not (tmp_path / "pid").exists()
        workers.release()
    assert workers.codes == (0,)
    assert not workers.failure
    assert int((tmp_path / "pid").read_text()) != os.getpid()


@FORKED_OR_STARTED
def test_workers_that_were_not_released_do_nothing(tmp_path: Path, forked: bool) -> None:
    with pytest.raises(UserError, match="no such task"), Workers(leave, (tmp_path / "pid", 0.0), 2, forked):
        raise UserError("no such task")
    assert not (tmp_path / "pid").exists()


def test_an_error_interrupts_what_works(tmp_path: Path) -> None:
    with pytest.raises(UserError), Workers(leave, (tmp_path / "pid", 600.0), 1, True) as workers:
        workers.release()
        appeared(tmp_path / "pid")
        raise UserError("the storage is gone")
    assert workers.codes == (INTERRUPTED,)


@pytest.mark.parametrize("seconds", [0.0, 0.3, 0.8])
def test_an_interrupt_while_they_start_up_is_heard(
    tmp_path: Path, seconds: float, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError), Workers(leave, (tmp_path / "pid", 600.0), 1) as workers:
        workers.release()
        time.sleep(seconds)
        raise UserError("the storage is gone")
    assert workers.codes == (INTERRUPTED,)
    assert "Traceback" not in capfd.readouterr().err


def test_what_the_user_must_mend_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with Workers(complain, (), 1, True) as workers:
        workers.release()
    assert workers.codes == (2,)
    assert capfd.readouterr().err == "eccsearch: the disk is full: free some space\n"


def test_a_worker_that_waits_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = "from automl.workers import Workers; import time\nwith Workers(print, (), 1, True) as workers:\n"
    script += "    print(workers._processes[0].pid, flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = Path("/proc") / parent.stdout.readline().strip()
        parent.kill()
    while worker.exists():
        time.sleep(0.05)


@FORKED_OR_STARTED
def test_a_worker_whose_parent_is_killed_does_not_take_it_for_a_release(tmp_path: Path, forked: bool) -> None:
    script = "import sys; from pathlib import Path; from test_workers import *\nif __name__ == '__main__':\n"
    script += f"    with Workers(leave, (Path(sys.argv[1]), 0.0), 3, {forked}) as workers:\n"
    script += "        print(*(each.pid for each in workers._processes), flush=True); time.sleep(600)"
    (tmp_path / "waiting.py").write_text(script)
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, str(tmp_path / "waiting.py"), str(tmp_path / "worked")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as parent:
        assert parent.stdout is not None
        workers = [Path("/proc") / pid for pid in parent.stdout.readline().split()]
        assert len(workers) == 3
        time.sleep(0 if forked else 4)
        parent.kill()
    while any(worker.exists() for worker in workers):
        time.sleep(0.05)
    assert not (tmp_path / "worked").exists()
