import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_sample_images

from deploy.errors import UserError
from deploy.image_codec import ImageCodec, ImageSettings
from deploy.packet import PacketCodec, PacketError

FORMATS = ("jpeg", "webp", "avif")


def photographs(count: int, size: tuple[int, int], seed: int = 0) -> list[np.ndarray]:
    rng, sources = np.random.default_rng(seed), [Image.fromarray(i) for i in load_sample_images().images]
    crops = []
    for index in range(count):
        side = int(rng.integers(40, 400))
        left, top = int(rng.integers(0, 640 - side)), int(rng.integers(0, 427 - side))
        crop = sources[index % 2].crop((left, top, left + side, top + side))
        crops.append(np.array(crop.resize((size[1], size[0]))))
    return crops


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("quality", [5, 50, 90])
@pytest.mark.parametrize("resolution", [48, 96])
def test_what_is_restored_is_pillows_own_file(kind, quality, resolution):
    codec = ImageCodec(ImageSettings(kind, quality, resolution, (96, 96)))
    for image in photographs(4 if kind == "avif" else 12, (96, 96)):
        for file in codec.files(image):
            payload = codec._stripped(file)
            assert payload != file
            assert codec._container.restore(payload) == file
            assert len(file) - len(payload) >= {"jpeg": 200, "webp": 28, "avif": 280}[kind]


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(FORMATS),
    quality=st.integers(1, 100),
    size=st.tuples(st.integers(8, 90), st.integers(8, 90)),
    part=st.sampled_from([0.5, 0.75, 1.0]),
    content=st.sampled_from(["photograph", "noise", "black", "white"]),
)
def test_a_payload_decodes_to_what_pillow_decodes_of_the_file(kind, quality, size, part, content):
    codec = ImageCodec(ImageSettings(kind, quality, max(1, round(part * max(size))), size))
    image = {
        "photograph": lambda: photographs(1, size, quality)[0],
        "noise": lambda: np.random.default_rng(quality).integers(0, 256, (*size, 3), dtype=np.uint8),
        "black": lambda: np.zeros((*size, 3), dtype=np.uint8),
        "white": lambda: np.full((*size, 3), 255, dtype=np.uint8),
    }[content]()
    payload = codec.encode(image)
    restored = payload if codec._container.is_file(payload) else codec._container.restore(payload)
    assert restored in codec.files(image)
    assert codec.decode(payload).shape == image.shape


@pytest.mark.parametrize("kind", FORMATS)
def test_the_bundles_sample_alone_rebuilds_the_codec(kind):
    settings = ImageSettings(kind, 40, 64, (64, 64))
    here = ImageCodec(settings)
    there = ImageCodec(settings, here.sample)
    image = photographs(1, (64, 64))[0]
    assert here.fingerprint == there.fingerprint
    assert np.array_equal(there.decode(here.encode(image)), here.decode(here.encode(image)))


@pytest.mark.parametrize("kind", FORMATS)
def test_an_encoder_that_shares_less_with_the_sample_sends_the_whole_file(kind):
    image = photographs(1, (64, 64))[0]
    other = ImageCodec(ImageSettings(kind, 80, 64, (64, 64))).sample
    codec = ImageCodec(ImageSettings(kind, 20, 64, (64, 64)), other)
    assert codec.decode(codec.encode(image)).shape == (64, 64, 3)
    error = np.abs(codec.decode(codec.encode(image)).astype(int) - image).mean()
    assert error < 20


def test_quality_and_resolution_trade_bytes_for_likeness():
    image = photographs(1, (96, 96))[0]

    def figures(quality: int, resolution: int) -> tuple[int, float]:
        codec = ImageCodec(ImageSettings("webp", quality, resolution, (96, 96)))
        payload = codec.encode(image)
        return len(payload), float(np.abs(codec.decode(payload).astype(int) - image).mean())

    small, large = figures(10, 48), figures(80, 96)
    assert small[0] < large[0]
    assert small[1] > large[1]


@pytest.mark.parametrize("kind", FORMATS)
def test_hostile_payloads_are_refused_or_give_an_image_of_the_right_size(kind):
    codec = ImageCodec(ImageSettings(kind, 50, 64, (64, 64)))
    payload, rng = codec.encode(photographs(1, (64, 64))[0]), np.random.default_rng(0)
    hostile = [b"", b"\xff\xc4", b"RIFF", b"\0\0\0\x20ftypavif", b"\xff\xd8\xff", payload[: len(payload) // 2]]
    hostile += [rng.bytes(int(n)) for n in rng.integers(1, 300, 20)]
    hostile += [ImageCodec(ImageSettings(kind, 50, 32, (32, 32))).files(np.zeros((32, 32, 3), np.uint8))[0]]
    for data in hostile:
        try:
            assert codec.decode(data).shape == (64, 64, 3)
        except PacketError:
            continue


def test_damaged_packets_are_refused():
    packets = PacketCodec(ImageCodec(ImageSettings("jpeg", 50, 64, (64, 64))))
    packet = packets.encode(photographs(1, (64, 64))[0])
    with pytest.raises(PacketError):
        packets.decode(packet[:-5])


@pytest.mark.parametrize(
    ("values", "words"),
    [(("gif", 50, 64, (64, 64)), "jpeg"), (("jpeg", 0, 64, (64, 64)), "quality"), (("jpeg", 9, 0, (9, 9)), "reso")],
)
def test_settings_that_no_encoder_knows_are_refused(values, words):
    with pytest.raises(UserError, match=words):
        ImageSettings(*values)
