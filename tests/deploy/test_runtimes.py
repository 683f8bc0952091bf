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
from deploy.route import Route
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
    packet = EdgeRuntime(bundle, threads=1).handle(GREEN).packet
    cloud = CloudRuntime(Bundle.open(bundle.path), threads=1)
    assert packet is not None
    assert cloud.answer(packet)["scores"].argmax() == 1
    with pytest.raises(PacketError):
        cloud.answer(packet[:-1])


def test_where_all_is_on_the_edge_it_answers_and_sends_nothing(make_bundle):
    bundle = make_bundle("edge")
    handled = EdgeRuntime(bundle, threads=1).handle(GREEN)
    assert handled.prediction["scores"].argmax() == 1
    assert handled.packet is None
    with pytest.raises(UserError, match="sends no packets"):
        CloudRuntime(bundle)


def test_symbols_cross_unchanged(make_bundle):
    bundle = make_bundle("features")
    edge, cloud = EdgeRuntime(bundle, threads=1), CloudRuntime(bundle, threads=1)
    handled = edge.handle(GREEN)
    assert np.array_equal(cloud.received(handled.packet).sample, handled.sent)


@pytest.mark.parametrize(
    ("brightness", "route"), [(0.8, Route.EDGE), (0.6, Route.FEATURES), (0.3, Route.IMAGE)], ids=str
)
def test_behind_a_gate_every_sample_takes_the_cheapest_route_that_is_enough(make_bundle, brightness, route):
    bundle = make_bundle("gated")
    picture = np.zeros_like(GREEN)
    picture[..., 1] = round(255 * brightness)
    handled = EdgeRuntime(bundle, threads=1).handle(picture)
    assert handled.route == route
    cloud = CloudRuntime(bundle, threads=1)
    answer = handled.prediction if handled.packet is None else cloud.answer(handled.packet)
    assert answer["scores"].argmax() == 1
    assert (handled.packet is None) == (route == Route.EDGE)
    if handled.packet is not None:
        assert cloud.received(handled.packet).route == route


def test_a_cloud_refuses_the_packets_that_its_bundle_does_not_send(make_bundle):
    packet = EdgeRuntime(make_bundle("image"), threads=1).handle(GREEN).packet
    with pytest.raises(PacketError, match="packet of image where the bundle expects features"):
        CloudRuntime(make_bundle("features"), threads=1).answer(packet)


@pytest.mark.parametrize("kind", ["features", "image", "edge", "gated"])
def test_predictor_answers_for_a_picture_file(make_bundle, green, kind, tmp_path):
    answer = Predictor(make_bundle(kind), threads=1).answer(green)
    assert answer.to_dict()["class"] == "green"
    assert (answer.packet_bytes > 0) == (kind in ("features", "image"))
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
