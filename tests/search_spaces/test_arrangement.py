"""Features of every shape become an image of channels and come back."""

from __future__ import annotations

import pytest
import torch

from search_spaces.arrangement import Arrangement
from search_spaces.bottleneck import Decoder, Encoder

SHAPES = {
    (8, 6, 5): ("image", 8, (6, 5)),
    (6, 6, 8): ("channels last", 8, (6, 6)),
    (6, 6, 6): ("image", 6, (6, 6)),
    (17, 8): ("tokens", 8, (17, 1)),
    (8,): ("vector", 8, (1, 1)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_shape_tells_where_the_channels_are(shape: tuple[int, ...]) -> None:
    assert Arrangement.of(shape) == Arrangement(*SHAPES[shape])  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
def test_back_from_the_image_is_what_it_was(shape: tuple[int, ...]) -> None:
    arrangement, features = Arrangement.of(shape), torch.rand(2, *shape)
    image = arrangement.image(features)
    assert image.shape == (2, arrangement.channels, *arrangement.sides)
    torch.testing.assert_close(arrangement.features(image), features, atol=0, rtol=0)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_bottleneck_gives_back_features_of_the_same_shape(shape: tuple[int, ...], stride: int) -> None:
    features = torch.rand(2, *shape)
    latent = Encoder(shape, 4, stride)(features)
    assert latent.shape[1] == 4
    assert Decoder(shape, 4, stride)(latent).shape == features.shape


def test_a_shape_that_is_none_of_them_is_refused() -> None:
    with pytest.raises(ValueError, match="no image, tokens or vector"):
        Arrangement.of((2, 3, 4, 5))
