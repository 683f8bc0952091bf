"""Images: everything in the cloud behind JPEG, WebP and AVIF at every quality and resolution of the space."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import features

from automl.rivals.bench import Bench, config_of, settings_of
from automl.rivals.rival import Answer
from results.naming import sent
from results.rival_point import Figures, RivalName, RivalPoint, Settings
from search_spaces.space import IMAGE
from search_spaces.task import SplitName


@dataclass(frozen=True)
class Images:
    """Compressed images to the complete cloud model.

    In the rival's favour no byte that all images of a setting share is charged (``deploy.image_codec``), and
    compressing counts as no edge computation.
    """

    bench: Bench
    name: RivalName = "image"

    def parts(self, measured: Sequence[RivalPoint]) -> list[Settings]:
        """Return every setting whose format this Pillow can write."""
        space = self.bench.plan.whole
        grid = itertools.product(*(space[name].choices for name in IMAGE))
        configs = [space.config({"split": 0, **dict(zip(IMAGE, values, strict=True))}) for values in grid]
        return [settings_of(config) for config in configs if _writable(config.image_format)]

    def points(self, part: Settings) -> list[RivalPoint]:
        """Return one setting's point; where the run has measured it, as it did."""
        config = config_of(part)
        record = self.bench.known.get(config)
        figures = (
            Figures.of(record.validation)
            if record
            else self.answer(part, "validation").figures(self.bench.plan.task)
        )
        return [RivalPoint(self.name, part, sent(config), figures)]

    def answer(self, settings: Settings, split: SplitName) -> Answer:
        """Run the cloud model behind the codec."""
        return self.bench.answer(config_of(settings), split)


def _writable(form: str) -> bool:
    return form == "jpeg" or bool(features.check(form))
