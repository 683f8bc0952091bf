"""Measuring: one machine's costs, by timing what deploy runs there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from math import prod
from pathlib import Path

import numpy as np

from automl.profiling import codecs
from automl.profiling.codecs import Coded
from automl.profiling.fitting import fitted, fitted_rate, layout_rate
from automl.profiling.programs import Chain, chains
from automl.profiling.samples import TYPICAL, meanwhile, whole_samples
from automl.profiling.stopwatch import ROUNDS, Call, stopwatch
from automl.reporter import Reporter
from deploy.session import Session, normalised
from evaluators.device import Answer, Device, ImageCost, ImageFormat, Images, Operators, SymbolCost, Symbols
from evaluators.program import Operator

SIDE = 128


def measured_device(threads: int, reporter: Reporter) -> Device:
    """Return what this machine costs.

    Args:
        threads: onnxruntime's threads inside one operator.
        reporter: Hears of the progress.
    """
    run, operators = _operators(threads, reporter)
    symbols = codecs.coded_symbols()
    encode, decode = _coded("symbols", symbols, reporter)
    images = {each.name: _image_format(each.name, reporter) for each in fields(Images)}
    answer, pixel = _answer_and_pixel(reporter)
    parts = Device(
        run,
        pixel,
        operators,
        Symbols(_symbol_cost(symbols, encode), _symbol_cost(symbols, decode)),
        Images(**images),
        answer,
    )
    return replace(parts, sample=_besides(parts, threads, reporter))


def _besides(parts: Device, threads: int, reporter: Reporter) -> float:
    """Return the seconds that whole samples take longer than their parts, the median over several."""
    with tempfile.TemporaryDirectory() as folder:
        samples = [*whole_samples(Path(folder), threads)]
        calls = [sample.call for sample in samples]
        reporter.stage("samples", ROUNDS * len(calls))
        seconds = stopwatch(calls, reporter.advance, meanwhile, TYPICAL)
    longer = [float(took) - sample.seconds(parts) for took, sample in zip(seconds, samples, strict=True)]
    return max(0.0, float(np.median(longer)))


def _timed(name: str, calls: Sequence[Call], reporter: Reporter) -> np.ndarray:
    reporter.stage(name, ROUNDS * len(calls))
    return stopwatch(calls, reporter.advance)


def _operators(threads: int, reporter: Reporter) -> tuple[float, Operators]:
    found = [*chains()]
    with tempfile.TemporaryDirectory() as folder:
        calls = [_call(chain, Path(folder) / "program.onnx", threads) for chain in [_least(found), *found]]
    run, *seconds = _timed("operators", calls, reporter)
    rates, ends = {}, {}
    for kind in {chain.operator.kind for chain in found}:
        mine = [i for i, chain in enumerate(found) if chain.operator.kind == kind]
        rates[kind], ends[kind] = fitted_rate([found[i] for i in mine], np.array([seconds[i] for i in mine]))
    # Least is computed between the ends of pointwise convolutions, so they are seen best.
    return float(run), Operators(**rates, layout=layout_rate(ends["pointwise"], float(run)))


def _least(found: Sequence[Chain]) -> Chain:
    """Return a program of a single value, which costs no more than to begin it."""
    chain = next(each for each in found if each.operator.kind == "elementwise")
    return Chain(Operator("elementwise", 2), 1, (1, 1, 1, 1), chain.build)


def _call(chain: Chain, path: Path, threads: int) -> Call:
    chain.write(path)
    session = Session(path, threads)
    values = np.full(chain.shape, 0.5, np.float32)
    return lambda: session.run(values)


def _coded(name: str, coded: Sequence[Coded], reporter: Reporter) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds to encode and to decode each sample."""
    calls: list[Call] = [*(each.encode for each in coded), *(each.decode for each in coded)]
    seconds = _timed(name, calls, reporter)
    return seconds[: len(coded)], seconds[len(coded) :]


def _symbol_cost(coded: Sequence[Coded], seconds: np.ndarray) -> SymbolCost:
    channels, symbols = [each.size[0] for each in coded], [prod(each.size) for each in coded]
    return SymbolCost(*map(float, fitted([np.ones(len(coded)), channels, symbols], seconds)[0]))


def _image_format(name: str, reporter: Reporter) -> ImageFormat:
    coded = codecs.coded_images(name)
    return ImageFormat(*(_image_cost(coded, seconds) for seconds in _coded(name, coded, reporter)))


def _image_cost(coded: Sequence[Coded], seconds: np.ndarray) -> ImageCost:
    pixels, sizes = [prod(each.size) for each in coded], [len(each.packet) for each in coded]
    return ImageCost(*map(float, fitted([np.ones(len(coded)), pixels, sizes], seconds)[0]))


def _answer_and_pixel(reporter: Reporter) -> tuple[Answer, float]:
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    softmax, logits = codecs.scores()
    boxes = [*codecs.boxes()]
    bound: list[Callable[[], object]] = [lambda each=each: each[0](each[1]) for each in boxes]  # type: ignore[misc]
    prepared, classes, *seconds = _timed(
        "answers", [lambda: normalised(image), lambda: softmax(logits), *bound], reporter
    )
    counts = [len(answer(outputs)["scores"]) for answer, outputs in boxes]
    costs, _ = fitted([np.ones(len(counts)), counts], np.array(seconds))
    return Answer(float(classes), *map(float, costs)), float(prepared) / SIDE**2
