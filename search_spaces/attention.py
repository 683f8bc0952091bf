"""Attention whose heads can be taken out: what stands in the place of torch's and torchvision's in a chain.

Theirs divide the width that they are given by the number of heads, so they cannot have fewer heads than it takes.
"""

from __future__ import annotations

import math
from collections import defaultdict

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn
from torchvision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2

HOTTEST = math.log(100.0)
"""Cosine attention's scale is at most so large, in logarithms (Liu et al. 2022, arXiv 2111.09883)."""
APART = -100.0
"""What is added between places that only the roll has brought together (Liu et al. 2021, arXiv 2103.14030)."""


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, arXiv 1706.03762) as nn.MultiheadAttention computes it.

    Args:
        width: Channels of what it is given and gives.
        head: Channels of a head.
        heads: How many.
        bias: Whether its layers add one.
    """

    def __init__(self, width: int, head: int, heads: int, bias: bool) -> None:
        super().__init__()
        self.head = head
        self.query, self.key, self.value = (nn.Linear(width, head * heads, bias) for _ in range(3))
        self.proj = nn.Linear(head * heads, width, bias)

    @classmethod
    def of(cls, theirs: nn.MultiheadAttention) -> Attention:
        """Return one that computes what ``theirs`` does."""
        bias = theirs.in_proj_bias is not None
        ours = cls(theirs.embed_dim, theirs.head_dim, theirs.num_heads, bias)
        parts = (ours.query, ours.key, ours.value)
        with torch.no_grad():
            for part, weight in zip(parts, theirs.in_proj_weight.chunk(3), strict=True):
                part.weight.copy_(weight)
            ours.proj.load_state_dict(theirs.out_proj.state_dict())
            if theirs.in_proj_bias is not None:
                for part, offset in zip(parts, theirs.in_proj_bias.chunk(3), strict=True):
                    part.bias.copy_(offset)
        return ours

    def forward(self, query: Tensor, key: Tensor, value: Tensor, need_weights: bool = False) -> tuple[Tensor, None]:
        """Return the answer for (b, n, width) and, as nn.MultiheadAttention does, no weights."""
        queries, keys, values = self._headed(self.query(query)), self._headed(self.key(key)), self.value(value)
        answer = F.scaled_dot_product_attention(queries, keys, self._headed(values))
        return self.proj(answer.transpose(1, 2).flatten(2)), None

    def _headed(self, value: Tensor) -> Tensor:
        return value.unflatten(2, (-1, self.head)).transpose(1, 2)


class WindowAttention(nn.Module):
    """Attention in shifted windows with a bias by relative place, as torchvision's Swin computes it.

    Args:
        theirs: What it stands for; its layers are taken over. The second version compares by cosine, and a small
            network gives its bias.
    """

    scale: nn.Parameter | None
    table: nn.Parameter | None
    index: Tensor

    def __init__(self, theirs: ShiftedWindowAttention) -> None:
        super().__init__()
        width = theirs.qkv.in_features
        self.window, self.shift, self.head = theirs.window_size[0], theirs.shift_size[0], width // theirs.num_heads
        cosine = isinstance(theirs, ShiftedWindowAttentionV2)
        self.query, self.key, self.value = _thirds(theirs.qkv, unbiased_key=cosine)
        self.proj = theirs.proj
        self.scale = theirs.logit_scale if cosine else None
        self.table = None if cosine else theirs.relative_position_bias_table
        self.places = theirs.cpb_mlp if cosine else None
        self.register_buffer("index", theirs.relative_position_index, persistent=False)
        coordinates = theirs.relative_coords_table if cosine else torch.empty(0)
        self.register_buffer("coordinates", coordinates, persistent=False)

    def forward(self, value: Tensor) -> Tensor:
        """Return the answer for (b, H, W, width), same shape."""
        _, height, width, _ = value.shape
        down, across = -height % self.window, -width % self.window
        padded = F.pad(value, (0, 0, 0, across, 0, down))
        # Where one window holds a whole side there is nothing to shift.
        shift = [self.shift if side > self.window else 0 for side in padded.shape[1:3]]
        rolled = torch.roll(padded, (-shift[0], -shift[1]), (1, 2)) if any(shift) else padded
        windows = rolled.unflatten(2, (-1, self.window)).unflatten(1, (-1, self.window)).transpose(2, 3)
        answer = self._attended(windows.flatten(3, 4).flatten(1, 2), self._mask(padded, shift))
        joined = answer.unflatten(1, windows.shape[1:3]).unflatten(3, (self.window, self.window)).transpose(2, 3)
        whole = joined.flatten(3, 4).flatten(1, 2)
        back = torch.roll(whole, (shift[0], shift[1]), (1, 2)) if any(shift) else whole
        return back[:, :height, :width].contiguous()

    def _attended(self, windows: Tensor, mask: Tensor | None) -> Tensor:
        """Return the answer for windows (b, windows, places, width), same shape."""
        query, key, value = (self._headed(part(windows)) for part in (self.query, self.key, self.value))
        if self.scale is None:
            scores = (query * self.head**-0.5) @ key.transpose(-2, -1)
        else:
            scores = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)
            scores = scores * self.scale.clamp(max=HOTTEST).exp()
        scores = scores + self._bias()
        scores = scores if mask is None else scores + mask
        answer: Tensor = self.proj((scores.softmax(-1) @ value).transpose(2, 3).flatten(3))
        return answer

    def _headed(self, value: Tensor) -> Tensor:
        return value.unflatten(3, (-1, self.head)).transpose(2, 3)

    def _bias(self) -> Tensor:
        """Return what is added to the scores of every two places of a window, (heads, places, places)."""
        places = self.window**2
        if self.places is None:
            assert self.table is not None
            return self.table[self.index].view(places, places, -1).permute(2, 0, 1)
        bias = self.places(self.coordinates).flatten(0, -2)[self.index]
        return 16 * bias.view(places, places, -1).permute(2, 0, 1).sigmoid()

    def _mask(self, padded: Tensor, shift: list[int]) -> Tensor | None:
        """Return what keeps apart what the roll brought together, (windows, 1, places, places)."""
        if not any(shift):
            return None
        down, across = (
            self._parts(side, by, padded.device) for side, by in zip(padded.shape[1:3], shift, strict=True)
        )
        areas = (down[:, None] * 3 + across).unflatten(1, (-1, self.window)).unflatten(0, (-1, self.window))
        areas = areas.transpose(1, 2).flatten(2, 3).flatten(0, 1)
        return (areas[:, None] != areas[:, :, None]).to(padded.dtype)[:, None] * APART

    def _parts(self, side: int, shift: int, device: torch.device) -> Tensor:
        """Return which part of a rolled side a place comes from, (side,)."""
        parts = torch.zeros(side, device=device)
        parts[side - self.window :] = 1
        parts[side - shift :] = 2
        return parts


def _thirds(qkv: nn.Linear, unbiased_key: bool) -> list[nn.Linear]:
    parts = []
    with torch.no_grad():
        for i in range(3):
            part = nn.Linear(qkv.in_features, qkv.out_features // 3, qkv.bias is not None)
            part.weight.copy_(qkv.weight.chunk(3)[i])
            if qkv.bias is not None:
                part.bias.copy_(qkv.bias.chunk(3)[i] * (0 if unbiased_key and i == 1 else 1))
            parts.append(part)
    return parts


def with_own_windows(model: nn.Module) -> nn.Module:
    """Put a WindowAttention in the place of each of torchvision's without dropout, in place; return the model."""
    for name, part in list(model.named_modules()):
        known = type(part) in (ShiftedWindowAttention, ShiftedWindowAttentionV2)
        if known and not (part.dropout or part.attention_dropout):
            model.set_submodule(name, WindowAttention(part))
    return model


def with_own_attention(model: nn.Module, graph: fx.Graph) -> None:
    """Put an Attention in the place of each of torch's whose call it can answer, in place.

    Args:
        model: What was traced.
        graph: Its graph, in which torch's attention is one node.
    """
    calls: dict[str, list[fx.Node]] = defaultdict(list)
    for node in graph.nodes:
        if node.op == "call_module":
            calls[str(node.target)].append(node)
    for name, nodes in calls.items():
        part = model.get_submodule(name)
        if isinstance(part, nn.MultiheadAttention) and _is_plain(part) and all(map(_is_plain_call, nodes)):
            model.set_submodule(name, Attention.of(part))


def _is_plain_call(node: fx.Node) -> bool:
    """Return whether query, key and value alone are given, and no weights are wanted."""
    return len(node.args) == 3 and node.kwargs == {"need_weights": False}


def _is_plain(part: nn.MultiheadAttention) -> bool:
    """Return whether Attention computes the same, in training too."""
    extras = part.bias_k is not None or part.add_zero_attn or part.dropout
    return bool(part.batch_first and part._qkv_same_embed_dim and not extras)
