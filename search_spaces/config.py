"""Config: one point of the search space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

Value = int | float | str


@dataclass(frozen=True, order=True)
class Config:
    """How one edge-cloud configuration shares the model.

    Attributes:
        split: Split point; 0 sends a compressed image, N (the number of blocks) keeps everything on the edge.
        edge_modules: Modules kept in each block of a stage when the block is on the edge, one count per stage.
        cloud_modules: Modules kept in each block that runs in the cloud.
        width: Bottleneck channels.
        stride: Bottleneck stride.
        bits: Bit width of one symbol, 1 to 8.
        image_format: ``jpeg``, ``webp`` or ``avif``; what split 0 sends.
        image_quality: The image format's quality setting.
        image_resolution: Side in pixels that split 0's image is reduced to before it is compressed.
        response: Weight of the response distillation term; the task loss weighs 1.
        feature: Weight of the feature distillation term.
        rate: Weight of the rate term.
        temperature: Temperature of the response term.
        offload: Share of the samples that the edge does not answer itself but sends on; 1 where it answers none, or
            all, so that no gate is needed.
        payload: What is sent of them: ``features``, the ``image``, or per sample either (``dynamic``).
        resolution: Side in pixels that the image is reduced to for the edge's blocks; 0 where they see all of it.
    """

    split: int
    edge_modules: tuple[int, ...] = ()
    cloud_modules: int = 0
    width: int = 0
    stride: int = 0
    bits: int = 0
    image_format: str = ""
    image_quality: int = 0
    image_resolution: int = 0
    response: float = 0.0
    feature: float = 0.0
    rate: float = 0.0
    temperature: float = 0.0
    offload: float = 1.0
    payload: str = ""
    resolution: int = 0

    @property
    def gated(self) -> bool:
        """Whether the edge answers some samples and sends the others."""
        return self.offload < 1

    @property
    def curve(self) -> Config:
        """What Configs of one gate share, which differ in ``offload`` alone; without a gate, the Config itself."""
        return replace(self, offload=1.0)

    @property
    def sends_images(self) -> bool:
        """Whether some packets hold a compressed image."""
        return self.split == 0 or self.payload in ("image", "dynamic")

    def to_params(self) -> dict[str, Value]:
        """Return the flat parameters (``edge_modules.stage1``, ...) that the study records.

        Where ``resolution`` is 0 it is left out: what was recorded and hashed before there was one stays as it is.
        """
        fields = asdict(self)
        if not self.resolution:
            del fields["resolution"]
        counts = fields.pop("edge_modules")
        stages = {f"edge_modules.stage{i}": count for i, count in enumerate(counts, start=1)}
        return {"split": fields.pop("split"), **stages, **fields}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Config:
        """Build the Config that ``to_params`` flattened; law: ``from_params(c.to_params()) == c``."""
        fields = dict(params)
        names = sorted((n for n in fields if n.startswith("edge_modules.stage")), key=lambda n: int(n[18:]))
        counts = tuple(int(fields.pop(n)) for n in names)
        return cls(edge_modules=counts, **fields)
