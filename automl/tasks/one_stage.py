"""One-stage detectors of torchvision's: their layers as one network, and everything else as their rules.

```
pixels -> standardize -> backbone, pyramid -> head -> raw outputs, what the network is searched for
          anchors, matching, losses, post-processing: the same model's methods, on a copy without any weights
```
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

from automl.tasks.rules import scores_read
from automl.tasks.standardize import Standardize
from search_spaces.placement import Constant
from search_spaces.task import Outputs, Prediction, Target

CLASSES, BOXES, CENTERNESS = "cls_logits", "bbox_regression", "bbox_ctrness"


class OneStage(nn.Module):
    """The layers of a detector.

    Args:
        model: torchvision's.
        outputs: Names of the head's outputs, in the order in which they are given.
    """

    def __init__(self, model: Any, outputs: Sequence[str]) -> None:
        super().__init__()
        self.standardize = Standardize(model.transform.image_mean, model.transform.image_std)
        self.backbone, self.head = model.backbone, model.head
        self.outputs = tuple(outputs)

    def forward(self, images: Tensor) -> Outputs:
        """Return the head's outputs (b, A, ...) of images (b, 3, H, W) in 0..1; A anchors, level after level."""
        answer: dict[str, Tensor] = self.head(list(self.backbone(self.standardize(images)).values()))
        return tuple(answer[name] for name in self.outputs)


class OneStageRules(ABC):
    """What all of them do alike.

    Args:
        model: torchvision's, on the meta device: its layers hold nothing.
        image_size: Side of an image in pixels.
    """

    outputs: ClassVar[tuple[str, ...]] = (CLASSES, BOXES)

    def __init__(self, model: Any, image_size: int) -> None:
        self.model, self.image_size = model.eval(), image_size

    @cached_property
    def grids(self) -> list[tuple[int, int]]:
        """Rows and columns of each level."""
        images = torch.zeros(1, 3, self.image_size, self.image_size, device="meta")
        return [(level.shape[2], level.shape[3]) for level in self.model.backbone(images).values()]

    @cached_property
    def anchors(self) -> Tensor:
        """The anchors of all levels, (A, 4) xyxy."""
        side = self.image_size
        images = ImageList(torch.zeros(1, 3, side, side), [(side, side)])
        (anchors,) = self.model.anchor_generator(images, [torch.zeros(1, 1, *grid) for grid in self.grids])
        return anchors

    def anchors_at(self, outputs: Tensor) -> Tensor:
        """Return the anchors of all levels, (A, 4) xyxy, on the device where outputs are."""
        return self._placed.at(outputs)

    @cached_property
    def _placed(self) -> Constant:
        return Constant(self.anchors)

    @property
    def level_sizes(self) -> list[int]:
        """Anchors of each level."""
        each = self.model.anchor_generator.num_anchors_per_location()
        return [rows * columns * count for (rows, columns), count in zip(self.grids, each, strict=True)]

    def loss(self, outputs: Outputs, targets: Sequence[Target]) -> Tensor:
        """Return torchvision's loss of this detector."""
        losses = self._losses(dict(zip(self.outputs, outputs, strict=True)), list(targets))
        return torch.stack([*losses.values()]).sum()

    @abstractmethod
    def _losses(self, heads: dict[str, Tensor], targets: list[Target]) -> dict[str, Tensor]:
        """Return the losses by name."""

    @abstractmethod
    def response_loss(self, outputs: Outputs, teacher: Outputs, temperature: float) -> Tensor:
        """Return the scalar distillation loss between raw outputs."""

    @torch.no_grad()
    def detections(self, outputs: Outputs) -> list[Prediction]:
        """Return torchvision's post-processing of a batch."""
        heads = {name: output.detach().float() for name, output in zip(self.outputs, outputs, strict=True)}
        sides = [(self.image_size, self.image_size)] * len(outputs[0])
        return [
            {name: value.numpy() for name, value in found.items()} for found in self._postprocessed(heads, sides)
        ]

    def _postprocessed(self, heads: dict[str, Tensor], sides: list[tuple[int, int]]) -> list[dict[str, Tensor]]:
        levels = {name: list(output.split(self.level_sizes, dim=1)) for name, output in heads.items()}
        anchors = [list(self.anchors.split(self.level_sizes))] * len(sides)
        found: list[dict[str, Tensor]] = self.model.postprocess_detections(levels, anchors, sides)
        return found

    def matched(self, targets: list[Target]) -> list[Tensor]:
        """Return the box that each anchor answers for, (A,) a sample, below 0 for none, by the model's matcher."""
        return [self._matched(target["boxes"]) for target in targets]

    def _matched(self, boxes: Tensor) -> Tensor:
        if not len(boxes):
            return torch.full((len(self.anchors),), -1, device=boxes.device)
        matched: Tensor = self.model.proposal_matcher(box_iou(boxes, self.anchors_at(boxes)))
        return matched

    def exit_head(self, shape: tuple[int, ...]) -> nn.Module | None:
        """Return None: of one tensor of edge features no pyramid is made."""
        return None

    def confidence(self, outputs: Outputs) -> Tensor:
        """Return what tells how sure raw outputs are, (b, s)."""
        return scores_read(self.scores(outputs), len(self.anchors))

    @abstractmethod
    def scores(self, outputs: Outputs) -> Tensor:
        """Return the score of every anchor and class, (b, A, K)."""

    @abstractmethod
    def postprocessing(self) -> dict[str, Any]:
        """Return, as JSON, what deploy needs to turn raw outputs into detections."""

    def _settings(self) -> dict[str, Any]:
        """Return what the post-processing of every kind is set to."""
        return {
            "grids": [[*grid] for grid in self.grids],
            "score_threshold": self.model.score_thresh,
            "nms_threshold": self.model.nms_thresh,
            "candidates": self.model.topk_candidates,
            "detections": self.model.detections_per_img,
            "image_size": self.image_size,
        }
