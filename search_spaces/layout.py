"""Layout: the little that a Config needs to know of the chain it configures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Stages and modules of a chain of N blocks.

    Attributes:
        stages: The stage (0-based) of each block; -1 where a block has no modules to choose from.
        skippable: Whether keeping no module of a block is the identity.
        modules: M, the number of modules a block with modules is partitioned into.
        exits: Split points where the edge can answer: by an exit head, or at N by the model's own.
        sides: Sides in pixels that the edge's image may have, rising, the whole one last; none without a choice.
    """

    stages: tuple[int, ...]
    skippable: tuple[bool, ...]
    modules: int
    exits: tuple[int, ...] = ()
    sides: tuple[int, ...] = ()

    @property
    def splits(self) -> int:
        """N, the number of blocks: split points run from 0 (all in the cloud) to N (all on the edge)."""
        return len(self.stages)

    @property
    def stage_count(self) -> int:
        """The number of stages that have modules."""
        return max(self.stages, default=-1) + 1

    def edge_blocks(self, split: int, stage: int) -> list[int]:
        """Return the blocks of a stage that lie on the edge when the chain is cut at ``split``."""
        return [block for block in range(split) if self.stages[block] == stage]

    def fewest_modules(self, split: int, stage: int) -> int:
        """Return 0 where a block of the stage on the edge can be skipped, else 1."""
        return 0 if any(self.skippable[b] for b in self.edge_blocks(split, stage)) else 1

    def cloud_has_modules(self, split: int) -> bool:
        """Return whether a block behind the split point has modules."""
        return any(stage >= 0 for stage in self.stages[split:])
