"""The latency model against the clock: this machine as edge and as cloud, a shaped TCP link on localhost.

    python benchmarks/latency.py runs detection --bandwidth 1e6

Of a finished run 20 configurations, evenly along its front (images and everything on the edge included), are
exported and run as two processes: the edge runtime here, the cloud runtime behind a TCP socket to which a token
bucket lets through ``--bandwidth`` bits a second. Before that the machine is profiled as 'eccsearch profile' does
it (or --profile names a file); the profile's link is the bucket's rate and the socket's own round trip, measured
on the spot. A sample's figure is the median of its repeats (or --quantile 0.1, where other programs use the
machine too), a configuration's the mean over its samples, from pixels to the answer. Target: prediction over
measurement within 15 % for every configuration.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from cloud_server import received, sent
from members import KeptRun, kept_run
from report import Cell, Table, emit

from automl.keeper import Keeper
from automl.profiling.measuring import measured_device
from automl.profiling.samples import WAIT
from automl.reporters.plain import PlainReporter
from automl.trial import Candidate
from deploy.bundle import Bundle
from deploy.edge import EdgeRuntime
from evaluators.device_profile import DeviceProfile, LinkProfile, Power, read_profile
from evaluators.latency import MILLI, latencies
from evaluators.subject import Subject
from evaluators.workload import workload_of
from results.export import export_bundle
from results.naming import sent as what_is_sent
from results.pareto import pareto_set
from results.record import TrialRecord
from search_spaces.task import DataSplit

WITHIN = 15
"""Percent."""
PIECE = 16
"""Bytes that the bucket holds: less than any packet, so that every packet is paid for."""
PINGS = 200


class TokenBucket:
    """Lets bytes through a socket at a rate; it starts empty."""

    def __init__(self, connection: socket.socket, bits: float) -> None:
        self._connection, self._seconds = connection, 8 / bits

    def send(self, message: bytes) -> None:
        """Send a message, each piece of it when its last bit is paid for."""
        began = time.perf_counter()
        for start in range(0, len(message), PIECE):
            piece = message[start : start + PIECE]
            _wait_until(began + (start + len(piece)) * self._seconds)
            self._connection.sendall(piece)


def _wait_until(moment: float) -> None:
    # A sleep ends when it likes: what is left of it is waited for awake.
    while (left := moment - time.perf_counter()) > 0:
        if left > 5e-4:
            time.sleep(left - 4e-4)


Call = Callable[[np.ndarray], tuple[float, float]]
"""Answers an image; returns the seconds that it took, and of these the edge's."""


@dataclass(frozen=True)
class Timed:
    """Seconds of one configuration, mean over samples: from pixels to answer, and of these the edge's."""

    total: float
    edge: float
    round_trip: float


@contextmanager
def cloud(bundle: Path, threads: int) -> Iterator[socket.socket]:
    """Run a cloud in a process of its own and yield the connection to it."""
    script = Path(__file__).with_name("cloud_server.py")
    command = [sys.executable, str(script), str(bundle), "--threads", str(threads)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        with socket.create_connection(("127.0.0.1", int(process.stdout.readline()))) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection
    finally:
        process.wait()


def timed(bundle: Path, images: list[np.ndarray], options: argparse.Namespace) -> Timed:
    """Run a bundle over images."""
    opened = Bundle.open(bundle)
    edge = EdgeRuntime(opened, options.threads)
    if opened.manifest.kind == "edge":
        return Timed(*_repeated(lambda image: _on_the_edge(edge, image), images, options), 0.0)
    with cloud(bundle, options.threads) as connection:
        pings = [_ping(connection) for _ in range(PINGS)]
        bucket = TokenBucket(connection, options.bandwidth)
        seconds = _repeated(lambda image: _through_the_cloud(edge, bucket, connection, image), images, options)
    return Timed(*seconds, float(np.quantile(pings, options.quantile)))


def _repeated(run: Call, images: list[np.ndarray], options: argparse.Namespace) -> tuple[float, float]:
    run(images[0])
    times = np.array([[_paused(run, image) for image in images] for _ in range(options.repeats)])
    total, edge = np.quantile(times, options.quantile, axis=0).mean(axis=0)
    return float(total), float(edge)


def _paused(run: Call, image: np.ndarray) -> tuple[float, float]:
    # As the profile's whole samples: they come one at a time.
    time.sleep(WAIT)
    return run(image)


def _on_the_edge(edge: EdgeRuntime, image: np.ndarray) -> tuple[float, float]:
    began = time.perf_counter()
    edge.handle(image)
    seconds = time.perf_counter() - began
    return seconds, seconds


def _through_the_cloud(
    edge: EdgeRuntime, bucket: TokenBucket, connection: socket.socket, image: np.ndarray
) -> tuple[float, float]:
    began = time.perf_counter()
    packet = edge.handle(image).packet
    packed = time.perf_counter()
    if packet is None:
        return packed - began, packed - began
    # What the message's length is sent with is no part of a packet: the bucket does not charge for it.
    connection.sendall(sent(packet)[: -len(packet)])
    bucket.send(packet)
    received(connection)
    return time.perf_counter() - began, packed - began


def _ping(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(sent(b""))
    received(connection)
    return time.perf_counter() - began


def spread(run: KeptRun, count: int) -> list[TrialRecord]:
    """Return ``count`` members of the front, evenly along it."""
    front = pareto_set(run.records, run.info.objectives)
    places = sorted({round(place) for place in np.linspace(0, len(front) - 1, count)})
    return [front[place] for place in places]


def weights_of(run: KeptRun, record: TrialRecord) -> Candidate:
    """Return a front member's weights: the finalist's where it is one."""
    trial = run.trial
    if trial.supernet.is_cloud_model(record.config):
        return trial.candidate(record.config, 0)
    keeper = Keeper(run.plan.settings.folder.weights)
    kept = keeper.load(record.config, trial.supernet, record.finalist is not None)
    assert kept is not None
    return kept


def exported(candidate: Candidate, run: KeptRun, path: Path) -> Path:
    """Write a bundle; an older one there is replaced."""
    export_bundle(candidate.derived, run.plan.task, path, candidate.tables, {}, threshold=candidate.threshold)
    return path


def compared(
    run: KeptRun, record: TrialRecord, profile: DeviceProfile, options: argparse.Namespace
) -> tuple[Cell, ...]:
    """Return one configuration's row: predicted, measured, and predicted over measured."""
    data = run.plan.task.data("validation")
    part = DataSplit("validation", data.images[: options.samples], data.targets[: options.samples])
    candidate = weights_of(run, record)
    bundle = exported(candidate, run, options.bundles / str(record.number))
    images = [np.ascontiguousarray(image.permute(1, 2, 0).numpy()) for image in part.images]
    found = timed(bundle, images, options)
    link = replace(profile.link, round_trip=found.round_trip)
    workload = workload_of(Subject(candidate.derived, run.plan.task, run.trial.outcome(candidate, part)))
    predicted = float(latencies(workload, replace(profile, link=link)).mean())
    edge = float(workload.edge_seconds(profile.edge).mean())
    send = float(workload.packets.mean()) * 8 / options.bandwidth
    # What the link takes is known beforehand: how well the rest is predicted is told apart.
    rest = predicted - send, found.total - send
    ends = record.number, record.config.split, what_is_sent(record.config)
    pairs = ((predicted, found.total), (edge, found.edge), rest)
    return *ends, *(cell for pair in pairs for cell in (*(MILLI * each for each in pair), pair[0] / pair[1]))


def tables_of(rows: list[tuple[Cell, ...]], profile: DeviceProfile) -> list[Table]:
    """Return the summary and each configuration's figures."""
    ratios = np.array([row[5] for row in rows], float)
    without = np.array([row[11] for row in rows], float)
    off = 100 * np.abs(ratios - 1)
    figures: list[tuple[Cell, ...]] = [
        (f"configurations within {WITHIN} %", len(rows), int((off <= WITHIN).sum())),
        ("largest deviation, %", WITHIN, float(off.max())),
        ("median deviation, %", None, float(np.median(off))),
        (f"within {WITHIN} % without the link's own time", None, int((np.abs(without - 1) <= WITHIN / 100).sum())),
    ]
    columns = ("trial", "split", "sent", "predicted ms", "measured ms", "ratio")
    parts = ("edge predicted", "edge measured", "ratio", "without link predicted", "measured", "ratio")
    title = f"Latency of {len(rows)} configurations at {profile.link.bandwidth:g} bit/s"
    return [
        Table(title, ("figure", "target", "measured"), tuple(figures)),
        Table("Each", columns + parts, tuple(rows)),
    ]


def profiled(options: argparse.Namespace) -> DeviceProfile:
    """Return the profile with the bucket's rate: read, or measured now."""
    link, power = LinkProfile(options.bandwidth, 0.0), Power(0.0, 0.0, 0.0)
    if options.profile is not None:
        return replace(read_profile(options.profile), link=link)
    device = measured_device(options.threads, PlainReporter(sys.stderr))
    return DeviceProfile(device, device, link, power)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("name")
    parser.add_argument("--count", type=int, default=20, help="Configurations.")
    parser.add_argument("--bandwidth", type=float, default=1e6, help="Bits a second.")
    parser.add_argument("--profile", type=Path, help="Use this profile's devices instead of measuring.")
    parser.add_argument(
        "--bundles", type=Path, default=Path("bundles"), help="Where they are exported to, and kept."
    )
    parser.add_argument("--samples", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--quantile", type=float, default=0.5, help="Which of a sample's repeats counts.")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    options = parser.parse_args()
    run = kept_run(options.root, options.name)
    chosen = spread(run, options.count)
    profile = profiled(options)
    emit(tables_of([compared(run, record, profile, options) for record in chosen], profile), options.json)


if __name__ == "__main__":
    main()
