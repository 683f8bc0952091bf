import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from automl.cli.predict import predict
from deploy.errors import UserError

runner = CliRunner()
app = typer.Typer()
app.command()(predict)


@pytest.fixture
def blue(tmp_path):
    path = tmp_path / "blue.jpg"
    Image.fromarray(np.full((20, 30, 3), (10, 10, 240), dtype=np.uint8)).save(path)
    return path


def test_it_answers_in_words_and_in_json_and_draws(make_bundle, blue, tmp_path):
    bundle = make_bundle("features").path
    words = runner.invoke(app, [str(bundle), str(blue), "--threads", "1", "--draw", str(tmp_path / "out.png")])
    assert words.exit_code == 0, words.output
    assert words.output.startswith("blue")
    assert "bytes sent" in words.output
    assert Image.open(tmp_path / "out.png").size == (30, 20)
    spoken = runner.invoke(app, [str(bundle), str(blue), "--json"])
    assert json.loads(spoken.output)["class"] == "blue"


def test_bad_input_is_a_user_error(make_bundle, blue, tmp_path):
    bundle = make_bundle("features").path
    for arguments in ([tmp_path / "no", blue], [bundle, tmp_path / "no.jpg"], [bundle, bundle / "tables.npy"]):
        assert isinstance(runner.invoke(app, list(map(str, arguments))).exception, UserError)
    assert runner.invoke(app, [str(bundle), str(blue), "--score", "2"]).exit_code == 2


def test_help_shows_an_example():
    assert "eccsearch predict bundle/" in runner.invoke(app, ["--help"]).output
