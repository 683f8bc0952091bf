import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deploy.__main__ import main
from deploy.bundle import EDGE, Bundle
from deploy.cloud import CloudRuntime
from deploy.draw import draw
from deploy.edge import EdgeRuntime
from deploy.errors import UserError
from deploy.packet import PacketError
from deploy.predict import Predictor
from deploy.session import Session

GREEN = np.full((32, 32, 3), (20, 230, 40), dtype=np.uint8)


@pytest.fixture
def green(tmp_path: Path) -> Path:
    path = tmp_path / "green.png"
    Image.fromarray(GREEN).resize((50, 40)).save(path)
    return path


@pytest.mark.parametrize("kind", ["features", "image"])
def test_the_edge_sends_and_the_cloud_answers(make_bundle, kind):
    bundle = make_bundle(kind)
    packet = EdgeRuntime(bundle, threads=1).packet(GREEN)
    cloud = CloudRuntime(Bundle.open(bundle.path), threads=1)
    assert isinstance(packet, bytes)
    assert cloud.answer(packet)["scores"].argmax() == 1
    with pytest.raises(PacketError):
        cloud.answer(packet[:-1])


def test_where_all_is_on_the_edge_it_answers_and_sends_nothing(make_bundle):
    bundle = make_bundle("edge")
    edge = EdgeRuntime(bundle, threads=1)
    assert edge.answer(GREEN)["scores"].argmax() == 1
    with pytest.raises(UserError, match="sends no packets"):
        edge.packet(GREEN)
    with pytest.raises(UserError, match="sends no packets"):
        CloudRuntime(bundle)


def test_where_the_cloud_answers_the_edge_says_so(make_bundle):
    with pytest.raises(UserError, match="answers in the cloud"):
        EdgeRuntime(make_bundle("features"), threads=1).answer(GREEN)


def test_symbols_cross_unchanged(make_bundle):
    bundle = make_bundle("features")
    edge, cloud = EdgeRuntime(bundle, threads=1), CloudRuntime(bundle, threads=1)
    assert np.array_equal(cloud.received(edge.packet(GREEN)), edge.crossing(GREEN))


@pytest.mark.parametrize("kind", ["features", "image", "edge"])
def test_predictor_answers_for_a_picture_file(make_bundle, green, kind, tmp_path):
    answer = Predictor(make_bundle(kind), threads=1).answer(green)
    assert answer.to_dict()["class"] == "green"
    assert (answer.packet_bytes > 0) == (kind != "edge")
    assert answer.lines()[0].startswith("green")
    answer.draw(tmp_path / "out.png")
    assert Image.open(tmp_path / "out.png").size == (50, 40)
    with pytest.raises(UserError, match="picture format"):
        answer.draw(tmp_path / "out.xyz")


def test_boxes_are_drawn_where_they_are():
    picture = Image.new("RGB", (100, 100), "white")
    boxes = np.array([[40, 50, 80, 90]], dtype=np.float32)
    found = {"boxes": boxes, "scores": np.array([0.9], np.float32), "labels": np.array([1])}
    changed = np.argwhere((np.array(draw(picture, found, ("a", "b"))) != 255).any(axis=2))
    assert changed.max(axis=0).tolist() == [90, 80]
    assert changed[:, 1].min() == 40
    assert (np.array(picture) == 255).all()


def test_a_program_that_onnxruntime_cannot_load_is_one_line(make_bundle):
    path = make_bundle("edge").path / EDGE
    path.write_bytes(b"no program")
    with pytest.raises(UserError, match="cannot load") as error:
        Session(path)
    assert "\n" not in str(error.value)


def test_the_module_is_a_command(make_bundle, green, capsys):
    path = make_bundle("features").path
    assert main(["predict", str(path), str(green), "--json", "--threads", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["class"] == "green"
    assert main(["predict", str(path / "nothing"), str(green)]) == 2
    assert "no bundle" in capsys.readouterr().err


def test_a_device_needs_no_torch(make_bundle, green, tmp_path):
    """Every other library of the project is made unimportable, and the command still answers."""
    (tmp_path / "run.py").write_text(
        "import runpy, sys\n"
        "for name in ('torch torchvision typer rich optuna onnx scipy sklearn matplotlib automl search_spaces "
        "evaluators results').split():\n"
        "    sys.modules[name] = None\n"
        "runpy.run_module('deploy', run_name='__main__', alter_sys=True)\n"
    )
    root = str(Path(__file__).parents[2])
    command = [sys.executable, str(tmp_path / "run.py"), "predict", str(make_bundle("features").path), str(green)]
    done = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": root}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("green")
