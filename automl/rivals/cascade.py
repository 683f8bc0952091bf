"""Cascade: a small model on the edge answers; where it is not sure, the image goes to the complete cloud model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.rivals.bench import Bench, config_of
from automl.rivals.edge_only import EdgeOnly
from automl.rivals.images import Images
from automl.rivals.rival import Answer
from deploy.route import Route
from evaluators.answers import Answers
from evaluators.confidence import confidences
from evaluators.mixture import mixed_qualities
from results.naming import on_edge, percent, sent
from results.pareto import costs, non_dominated
from results.rival_point import Figures, RivalName, RivalPoint, Settings
from search_spaces.task import SplitName

THRESHOLDS = 65
"""Thresholds of a curve, at most: spread evenly over the samples, with both ends."""


@dataclass(frozen=True)
class Cascade:
    """A confidence threshold between two models, the image in between (axonmesh; BranchyNet's rule of confidence).

    Every edge model is combined with every image setting that no other one beats, and every rule of confidence is
    tried: in the rival's favour the best of all of them count. Quality is that of the mixed answers.

    Attributes:
        bench: The run.
        edge_only: Whose sub-models answer on the edge.
        images: What the others are sent as.
    """

    bench: Bench
    edge_only: EdgeOnly
    images: Images
    name: RivalName = "cascade"

    def parts(self, measured: Sequence[RivalPoint]) -> list[Settings]:
        """Return every pair of an edge model and an image setting."""
        images = [point for point in measured if point.rival == self.images.name]
        kept = non_dominated(costs(images, ("quality", "bytes")))
        sent_as = [point.settings for point, keep in zip(images, kept, strict=True) if keep]
        small = [part for part in self.edge_only.parts(measured) if not self._is_whole(part)]
        return [{"edge": edge, "image": image} for edge in small for image in sent_as]

    def points(self, part: Settings) -> list[RivalPoint]:
        """Return the curves of a pair: a point for every rule and threshold."""
        edge, cloud = self._both(part, "validation")
        rules = confidences(edge.outcome.predictions)
        limits = [(rule, float(limit)) for rule, sure in rules.items() for limit in thresholds(sure)]
        offloaded = np.stack([rules[rule] < limit for rule, limit in limits])
        found = zip(limits, offloaded, self.curve(edge, cloud, offloaded), strict=True)
        return [self._point(part, *limit, float(row.mean()), figures) for limit, row, figures in found]

    def _point(self, part: Settings, rule: str, limit: float, share: float, figures: Figures) -> RivalPoint:
        settings = {**part, "rule": rule, "threshold": limit}
        return RivalPoint(self.name, settings, self._words(settings, share), figures)

    def curve(self, edge: Answer, cloud: Answer, offloaded: np.ndarray) -> list[Figures]:
        """Return the figures of mixtures.

        Args:
            edge: What the edge answers.
            cloud: What the cloud answers.
            offloaded: Which samples each mixture sends, bool (r, n).
        """
        here, there = edge.outcome, cloud.outcome
        qualities = mixed_qualities(self.bench.plan.task, [here, there], offloaded.astype(int))
        sizes = offloaded @ there.packet_bytes / offloaded.shape[1]
        return [Figures(float(q), edge.edge_flops, float(s)) for q, s in zip(qualities, sizes, strict=True)]

    def answer(self, settings: Settings, split: SplitName) -> Answer:
        """Run both models and mix their answers at the point's threshold."""
        edge, cloud = self._both(settings, split)
        doubt = -confidences(edge.outcome.predictions)[settings["rule"]]
        both = Answers(doubt[:, None], {Route.EDGE: edge.outcome, Route.IMAGE: cloud.outcome})
        return Answer(both.at(-settings["threshold"]), edge.edge_flops)

    def _both(self, settings: Settings, split: SplitName) -> tuple[Answer, Answer]:
        return self.edge_only.answer(settings["edge"], split), self.images.answer(settings["image"], split)

    def _is_whole(self, part: Settings) -> bool:
        return self.bench.trial.supernet.is_cloud_model(config_of(part))

    def _words(self, settings: Settings, share: float) -> str:
        counts = on_edge(config_of(settings["edge"]))
        image = sent(config_of(settings["image"]))
        return f"{counts}, {percent(share)} as {image} by {settings['rule']}"


def thresholds(sure: np.ndarray) -> np.ndarray:
    """Return rising thresholds on confidences (n,): the first sends no sample, the last one sends all."""
    distinct = np.unique(sure)
    every = np.append(distinct, distinct[-1] + 1)
    places = np.linspace(0, len(every) - 1, min(THRESHOLDS, len(every))).round().astype(int)
    return every[places]
