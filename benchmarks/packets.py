"""How near the packets come to what information theory allows.

    python benchmarks/packets.py runs detection

On every member of a finished run that sends symbols (as the search kept it, and as a finalist), over the whole
validation split, every sample encoded once; nothing is trained or timed. Three figures a member: the packets' mean
length; the symbols' cross-entropy under the tables that are shipped, so what is over it is the coder's and the
header's; and the validation symbols' own entropy given channel and context, the best that tables of the same form
could do even knowing these symbols, so what is over it is the tables'. "No context" is the symbols' entropy channel
by channel, which the contexts undercut. Targets: no sample over 1.02 x its cross-entropy + 8 bytes; cross-entropy
at most 5 % over the symbols' entropy.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from members import Member, kept_run
from report import Cell, Table, emit

from evaluators.link import link_of
from evaluators.outcome import symbols_of
from search_spaces.payload import tensors_of
from search_spaces.task import DataSplit, Task

SLACK = 1.02
"""What the coder may cost beside the constant bytes."""


@dataclass(frozen=True)
class Rates:
    """Bytes of one member's packets.

    Attributes:
        packets: ``len(packet)`` of each sample.
        cross_entropy: Each sample's information content under the shipped tables, in bytes.
        entropy: The samples' mean entropy given channel and context, in bytes.
        no_context: The samples' mean entropy given the channel alone, in bytes.
    """

    packets: np.ndarray
    cross_entropy: np.ndarray
    entropy: float
    no_context: float

    @property
    def constant(self) -> float:
        """The most bytes of a packet beyond 1.02 times its cross-entropy."""
        return float((self.packets - SLACK * self.cross_entropy).max())

    @property
    def coder(self) -> float:
        """Mean bytes that packets are longer than their cross-entropy."""
        return float((self.packets - self.cross_entropy).mean())

    @property
    def tables(self) -> float | None:
        """Percent that the cross-entropy lies over the entropy; None where the symbols say nothing."""
        return 100 * (float(self.cross_entropy.mean()) / self.entropy - 1) if self.entropy else None


def entropy_bits(symbols: np.ndarray, contexts: np.ndarray) -> float:
    """Return a sample's mean entropy in bits given channel and context: both uint8 (n, C, h, w)."""
    total = 0.0
    for channel in range(symbols.shape[1]):
        for context in np.unique(contexts[:, channel]):
            counts = np.bincount(symbols[:, channel][contexts[:, channel] == context])
            counts = counts[counts > 0]
            total -= float((counts * np.log2(counts / counts.sum())).sum())
    return total / len(symbols)


@torch.no_grad()
def rates(member: Member, task: Task, data: DataSplit) -> Rates:
    """Encode a split with one member."""
    derived, tables = member.candidate.derived, member.candidate.tables
    link = link_of(derived, tables, task.image_size)
    assert link is not None and derived.edge is not None
    symbols = symbols_of(derived, data)
    sent = [(each, tensor.numpy()) for each, tensor in zip(tables, tensors_of(symbols), strict=True)]
    return Rates(
        packets=np.asarray(link.carry(symbols)[1]),
        cross_entropy=np.sum([each.cross_entropy_bits(values) for each, values in sent], axis=0) / 8,
        entropy=sum(entropy_bits(values, each.contexts_of(values)) for each, values in sent) / 8,
        no_context=sum(entropy_bits(values, np.zeros_like(values)) for _, values in sent) / 8,
    )


def tables_of(found: list[tuple[Member, Rates]]) -> list[Table]:
    """Return the summary and the members' own figures."""
    over = [each.tables for _, each in found if each.tables is not None]
    alone = [100 * (float(each.cross_entropy.mean()) / each.no_context - 1) for _, each in found if each.no_context]
    overhead = [100 * each.coder / float(each.cross_entropy.mean()) for _, each in found if each.entropy]
    summary: list[tuple[Cell, ...]] = [
        ("most bytes of a packet over 1.02 x cross-entropy", 8, max(each.constant for _, each in found)),
        ("packet over cross-entropy, bytes, mean", None, float(np.mean([each.coder for _, each in found]))),
        ("packet over cross-entropy, %, mean", None, float(np.mean(overhead)) if overhead else None),
        ("cross-entropy over the symbols' entropy, %, worst member", 5, max(alone, default=None)),
        ("cross-entropy over entropy given the context, %, worst member", None, max(over, default=None)),
        ("cross-entropy over entropy given the context, %, mean", None, float(np.mean(over)) if over else None),
    ]
    sizes = ("packet B", "cross-entropy B", "entropy B", "no context B")
    columns = ("trial", "weights", "split", "bits", *sizes, "over 1.02 x, B", "over entropy, %")
    return [
        Table(f"Packets of {len(found)} members", ("figure", "at most", "measured"), tuple(summary)),
        Table("Each member", columns, tuple(_row(member, each) for member, each in found)),
    ]


def _row(member: Member, found: Rates) -> tuple[Cell, ...]:
    config = member.record.config
    means = float(found.packets.mean()), float(found.cross_entropy.mean()), found.entropy, found.no_context
    return member.record.number, member.weights, config.split, config.bits, *means, found.constant, found.tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("name")
    parser.add_argument("--json", action="store_true", help="Print unrounded JSON.")
    options = parser.parse_args()
    run = kept_run(options.root, options.name)
    data = run.plan.task.data("validation")
    sending = (member for member in run.members() if member.candidate.tables)
    found = [(member, rates(member, run.plan.task, data)) for member in sending]
    if not found:
        parser.exit(1, f"run '{options.name}' kept no member that sends symbols\n")
    emit(tables_of(found), options.json)


if __name__ == "__main__":
    main()
