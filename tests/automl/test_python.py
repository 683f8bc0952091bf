"""The script of docs/python.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl.blueprint import blueprint
from automl.settings import RunSettings
from automl.tasks.classification import ClassificationTask
from deploy.errors import UserError

DOCUMENT = Path(__file__).parents[2] / "docs" / "python.md"


def test_the_documented_script_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(script, str(DOCUMENT), "exec"), {})
    first, *front = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ blocks, [\d,]+ configurations", first)
    assert front and all("Config(" in line for line in front)


def test_a_task_under_another_name_than_the_settings_is_refused() -> None:
    with pytest.raises(UserError, match="is called 'classification', the settings say 'mine'"):
        blueprint(RunSettings("mine", "run"), given=ClassificationTask())
