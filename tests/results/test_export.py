import json
import logging
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from pyramid import PyramidTask
from torch import nn

from automl.tasks.classification import ClassificationTask
from automl.tasks.detection import DetectionTask
from automl.tasks.nets import Detector
from automl.tasks.one_stage import OneStage
from automl.tasks.splits import Counts
from deploy.bundle import CLOUD, EDGE, MANIFEST, WHOLE, Bundle
from deploy.errors import UserError
from deploy.image_codec import ImageCodec, ImageSettings
from deploy.postprocess import postprocessor
from deploy.predict import Predictor
from deploy.symbol_tables import SymbolTables
from evaluators.answers import ALWAYS, answers
from evaluators.link import ImageLink, link_of
from evaluators.outcome import calibrated_tables, outcome
from results.export import export_bundle
from results.onnx_export import write_onnx
from results.verify import VerifyReport, verify_bundle
from search_spaces.chain import chain_of
from search_spaces.config import Config, Value
from search_spaces.derived import DerivedModel
from search_spaces.resolution import resolutions_of
from search_spaces.space import default_space
from search_spaces.supernet import BottleneckOptions, Supernet
from search_spaces.task import Task

DETECTION = DetectionTask(counts=Counts(12, 8, 40))
CLASSIFICATION = ClassificationTask(counts=Counts(12, 8, 40))
PYRAMID = PyramidTask(counts=Counts(12, 8, 12))
WIDE = 5
"""The split point of the pyramid that three tensors cross."""
METRICS = {"validation": {"quality": 0.5, "bytes": 100.0}}
BITS = 4


@cache
def supernet_of(task: Task) -> Supernet:
    """Return the supernet of a cloud model whose random weights give decided answers."""
    torch.set_num_threads(1)
    model = task.cloud_model()
    torch.manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.uniform_(0.05, 0.2)
    if isinstance(model, Detector | OneStage):
        nn.init.constant_(model.head.classification_head.cls_logits.bias, -1.0)  # so that some scores count
    images, targets = task.data("train").batch(range(12))
    net = Supernet(chain_of(model.eval(), images[:1]), BottleneckOptions(8, (1, 2)), exits=task)
    net.calibrate(images, lambda outputs: task.task_loss(outputs, targets))
    return net


def derived(task: Task, **params: Value) -> DerivedModel:
    net = supernet_of(task)
    layout = replace(net.layout, sides=resolutions_of(net.cloud, task.image_size).sides)
    return net.derive(default_space(layout, task.image_size).config(params)).eval()


def features_model(task: Task) -> DerivedModel:
    return derived(task, split=3, width=8, stride=2, bits=BITS)


def image_model(task: Task) -> DerivedModel:
    return derived(task, split=0, image_format="webp", image_quality=40, image_resolution=task.image_size // 2)


def edge_model(task: Task) -> DerivedModel:
    return derived(task, split=supernet_of(task).layout.splits)


def tables_of(model: DerivedModel, task: Task) -> tuple[SymbolTables, ...]:
    return calibrated_tables(model, task.data("train"), 12)


@pytest.fixture(scope="module")
def model() -> DerivedModel:
    return features_model(DETECTION)


@pytest.fixture(scope="module")
def bundle(model: DerivedModel, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = tmp_path_factory.mktemp("export") / "bundle"
    return export_bundle(model, DETECTION, path, tables_of(model, DETECTION), METRICS)


def test_the_manifest_says_what_was_exported(bundle, model):
    manifest = Bundle.open(bundle.path).manifest
    assert (manifest.kind, manifest.symbol_shapes, manifest.bits) == ("features", model.symbol_shapes, BITS)
    assert (manifest.task, manifest.metric, manifest.classes) == ("detection", "mAP", DETECTION.classes)
    assert Config.from_params(manifest.config) == model.config
    assert manifest.postprocessing == DETECTION.postprocessing()
    assert manifest.metrics == METRICS
    assert manifest.versions["torch"] == torch.__version__.split("+")[0] or "+" in manifest.versions["torch"]
    assert set(json.loads((bundle.path / MANIFEST).read_text())["files"]) == {EDGE, CLOUD, "tables.npy"}


def test_the_programs_have_the_promised_ends_and_a_free_batch(bundle, model):
    for name, kind, shape in (
        (EDGE, onnx.TensorProto.FLOAT, (3, 80, 80)),
        (CLOUD, onnx.TensorProto.UINT8, model.symbol_shapes[0]),
    ):
        source = onnx.load(str(bundle.path / name)).graph.input[0].type.tensor_type
        assert source.elem_type == kind
        assert tuple(d.dim_value for d in source.shape.dim) == (0, *shape)
    sink = onnx.load(str(bundle.path / EDGE)).graph.output[0].type.tensor_type
    assert sink.elem_type == onnx.TensorProto.UINT8


def test_an_exported_detector_is_the_model(bundle, model):
    report = verify_bundle(bundle, model, DETECTION, "test", threads=1)
    assert report.passed, report.problems
    assert report.boxes > 500
    assert report.boxes_matched >= 0.99
    assert report.mean_bytes > 50
    assert report.packets_equal
    assert report.symbols_differing < 1e-3


def test_where_several_tensors_cross_the_bundle_is_the_model_and_sends_one_packet(tmp_path):
    model = derived(PYRAMID, split=WIDE, width=4, stride=1, bits=BITS)
    bundle = export_bundle(model, PYRAMID, tmp_path / "bundle", tables_of(model, PYRAMID), METRICS)
    assert len(bundle.manifest.symbol_shapes) == 3
    assert set(bundle.manifest.files) == {EDGE, CLOUD, "tables.npy", "tables1.npy", "tables2.npy"}
    inputs = onnx.load(str(bundle.path / CLOUD)).graph.input
    shapes = [tuple(d.dim_value for d in each.type.tensor_type.shape.dim) for each in inputs]
    assert shapes == [(0, *shape) for shape in model.symbol_shapes]
    report = verify_bundle(bundle, model, PYRAMID, "test", threads=1)
    assert report.passed, report.problems
    assert report.boxes > 100 and report.packets_equal and report.mean_bytes > 20
    assert report.symbols_differing < 1e-3


def test_a_wide_bundle_is_replaced_and_its_tables_are_missed(tmp_path):
    model = derived(PYRAMID, split=WIDE, width=2, stride=2, bits=BITS)
    for _ in range(2):
        bundle = export_bundle(model, PYRAMID, tmp_path / "bundle", tables_of(model, PYRAMID), METRICS)
    (bundle.path / "tables2.npy").unlink()
    with pytest.raises(UserError, match=r"lacks tables2\.npy"):
        Bundle.open(bundle.path)


def test_another_model_is_found_out(bundle):
    other = features_model(DETECTION)
    with torch.no_grad():
        for parameter in other.cloud.blocks[-1].parameters():
            parameter.mul_(1.05)
    assert not verify_bundle(bundle, other, DETECTION, "validation", threads=1).passed


@pytest.mark.parametrize("make", [image_model, edge_model])
def test_both_ends_export_and_verify(make, tmp_path):
    model = make(CLASSIFICATION)
    bundle = export_bundle(model, CLASSIFICATION, tmp_path / "bundle", (), {})
    report = verify_bundle(bundle, model, CLASSIFICATION, "test", threads=1)
    assert report.passed, report.problems
    assert report.top1_same == 1.0
    assert (report.mean_bytes > 0) == (make is image_model)
    predicted = Predictor(bundle, threads=1)
    image = CLASSIFICATION.data("test").images[0].permute(1, 2, 0).numpy()
    Image.fromarray(image).save(tmp_path / "picture.png")
    assert predicted.answer(tmp_path / "picture.png").to_dict()["class"] in CLASSIFICATION.classes


def gated(task: Task, **params: Value) -> DerivedModel:
    """Return a model whose gate scores samples apart, although it has learnt nothing."""
    image = {"image_format": "webp", "image_quality": 40, "image_resolution": task.image_size // 2}
    model = derived(task, width=4, stride=2, bits=BITS, offload=0.5, **image, **params)
    assert model.edge is not None and model.answering is not None
    gate = model.answering.gate
    with torch.no_grad():
        features = model.edge.features(task.data("test").batch(range(12))[0])
        deviation, mean = torch.std_mean(model.answering.evidence(features, model.answering.head(features)), 0)
        gate.mean.copy_(mean)
        gate.scale.copy_(1 / deviation.clamp_min(1e-3))
        torch.manual_seed(0)
        gate.linear.weight.normal_(std=len(mean) ** -0.5)
    return model


@pytest.mark.parametrize(
    ("task", "params", "files"),
    [
        (CLASSIFICATION, {"split": 3, "payload": "features"}, {EDGE, CLOUD, "tables.npy"}),
        (CLASSIFICATION, {"split": 3, "payload": "image"}, {EDGE, WHOLE, "sample"}),
        (CLASSIFICATION, {"split": 3, "payload": "dynamic"}, {EDGE, CLOUD, WHOLE, "tables.npy", "sample"}),
        (CLASSIFICATION, {"split": 8, "edge_modules.stage1": 2}, {EDGE, WHOLE, "sample"}),
        (DETECTION, {"split": 4, "payload": "dynamic"}, {EDGE, CLOUD, WHOLE, "tables.npy", "sample"}),
        (
            DETECTION,
            {"split": 4, "payload": "dynamic", "resolution": 48},
            {EDGE, CLOUD, WHOLE, "tables.npy", "sample"},
        ),
        (CLASSIFICATION, {"split": 8, "resolution": 24}, {EDGE, WHOLE, "sample"}),
    ],
    ids=["features", "image", "dynamic", "whole edge", "detection", "smaller image", "whole edge, smaller image"],
)
def test_behind_a_gate_the_bundle_decides_and_answers_as_the_model_does(task, params, files, tmp_path):
    model, tables = gated(task, **params), tables_of(gated(task, **params), task)
    images = ImageLink(ImageCodec(ImageSettings("webp", 40, task.image_size // 2, (task.image_size,) * 2)))
    test = task.data("test")
    imaged = outcome(derived(task, split=0), task, test, images) if model.whole is not None else None
    found = answers(model, task, test, link_of(model, tables, task.image_size), imaged)
    threshold = found.threshold(0.5)
    bundle = export_bundle(model, task, tmp_path / "bundle", tables, {}, threshold=threshold)
    assert set(bundle.manifest.files) == files
    report = verify_bundle(bundle, model, task, "test", threads=1, threshold=threshold)
    assert report.passed, report.problems
    assert report.routes_differing == 0
    assert report.mean_bytes > 0
    assert not verify_bundle(bundle, model, task, "test", threads=1, threshold=ALWAYS).passed


@pytest.mark.parametrize(
    ("task", "params"),
    [
        (DETECTION, {"split": 3, "stride": 2, "resolution": 48}),
        (DETECTION, {"split": 8, "resolution": 72}),
        (CLASSIFICATION, {"split": 5, "resolution": 24}),
        (CLASSIFICATION, {"split": 7, "resolution": 40}),
        (PYRAMID, {"split": WIDE, "width": 4, "stride": 1, "resolution": 40}),
    ],
    ids=["split", "whole edge", "class", "vector", "pyramid"],
)
def test_an_edge_that_sees_a_smaller_image_takes_the_whole_one_and_reduces_it_itself(task, params, tmp_path):
    model = derived(task, **{"width": 8, "stride": 1, "bits": BITS, **params})
    whole = derived(task, **{"width": 8, "stride": 1, "bits": BITS, **params, "resolution": task.image_size})
    bundle = export_bundle(model, task, tmp_path / "bundle", tables_of(model, task), METRICS)
    image = onnx.load(str(bundle.path / EDGE)).graph.input[0].type.tensor_type
    assert tuple(d.dim_value for d in image.shape.dim) == (0, 3, task.image_size, task.image_size)
    assert bundle.manifest.config["resolution"] == params["resolution"]
    for ours, theirs in zip(model.symbol_shapes, whole.symbol_shapes, strict=True):
        assert all(side <= full for side, full in zip(ours, theirs, strict=True))
    report = verify_bundle(bundle, model, task, "test", threads=1)
    assert report.passed, report.problems
    assert report.packets_equal and report.symbols_differing < 1e-3


def test_exporting_neither_prints_nor_changes_the_model_or_the_loggers(tmp_path, capfd):
    module = nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)).train()
    before, level = module[1].running_mean.clone(), logging.getLogger("torch.onnx").level
    write_onnx(module, torch.rand(1, 3, 8, 8), tmp_path / "program.onnx")
    assert module.training
    assert torch.equal(module[1].running_mean, before)
    assert logging.getLogger("torch.onnx").level == level
    assert capfd.readouterr() == ("", "")


def test_nothing_of_the_users_is_overwritten(model, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match="choose another"):
        export_bundle(model, DETECTION, tmp_path, tables_of(model, DETECTION), {})
    with pytest.raises(ValueError, match="tables"):
        export_bundle(model, DETECTION, tmp_path / "new", (), {})
    with pytest.raises(ValueError, match="threshold"):
        export_bundle(gated(CLASSIFICATION, split=8, resolution=24), CLASSIFICATION, tmp_path / "new", (), {})
    assert sorted(Path(tmp_path).iterdir()) == [tmp_path / "notes.txt"]


@pytest.mark.parametrize(
    "task", [DETECTION, CLASSIFICATION, PYRAMID], ids=["detection", "classification", "pyramid"]
)
def test_deploy_turns_raw_outputs_into_the_tasks_own_predictions(task):
    rng = np.random.default_rng(0)
    with torch.no_grad():
        shapes = [tuple(o.shape) for o in task.cloud_model().eval()(task.data("train").batch([0])[0])]
    outputs = [np.abs(rng.normal(0, 2, shape)).astype(np.float32) for shape in shapes]
    ours = postprocessor(task.postprocessing())(tuple(outputs))
    theirs = task.predict(tuple(torch.from_numpy(o) for o in outputs))[0]
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-4)


def test_a_report_names_every_problem():
    good = VerifyReport("test", 100, "mAP", 0.5, 0.5015, 99.0, 0.0, 0, True, boxes=100, boxes_matched=0.995)
    assert good.passed
    assert not replace(good, bundle_quality=0.503).passed
    assert not replace(good, packets_equal=False).passed
    assert "boxes" in replace(good, boxes_matched=0.98).problems[0]
    assert "best class" in replace(good, top1_changed=1).problems[0]
    assert "gate decides otherwise" in replace(good, routes_differing=2).problems[0]
