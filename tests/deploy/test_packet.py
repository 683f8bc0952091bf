import numpy as np
import pytest

from deploy.image_codec import ImageCodec, ImageSettings
from deploy.packet import HEADER_BYTES, PacketCodec, PacketError
from deploy.symbol_codec import SymbolCodec
from deploy.symbol_tables import SymbolTables

SYMBOLS = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)


@pytest.fixture
def packets() -> PacketCodec:
    return PacketCodec(SymbolCodec(SymbolTables.uniform(1, 4), (1, 4, 4)))


def test_a_packet_is_two_bytes_and_the_payload(packets):
    packet = packets.encode(SYMBOLS)
    assert packet[HEADER_BYTES:] == packets.payload.encode(SYMBOLS)
    assert HEADER_BYTES == 2
    assert np.array_equal(packets.decode(packet), SYMBOLS)


def test_every_single_bit_of_the_header_matters(packets):
    packet = packets.encode(SYMBOLS)
    for bit in range(16):
        wrong = (int.from_bytes(packet[:2], "big") ^ 1 << bit).to_bytes(2, "big") + packet[2:]
        with pytest.raises(PacketError):
            packets.decode(wrong)


def test_a_packet_under_other_tables_is_refused(packets):
    other = SymbolTables.calibrate(np.zeros((1, 1, 4, 4), dtype=np.uint8), 4)
    foreign = PacketCodec(SymbolCodec(other, (1, 4, 4))).encode(SYMBOLS)
    with pytest.raises(PacketError, match="another bundle"):
        packets.decode(foreign)


def test_a_packet_of_another_kind_says_so(packets):
    image = PacketCodec(ImageCodec(ImageSettings("jpeg", 50, 16, (16, 16))))
    with pytest.raises(PacketError, match="kind"):
        packets.decode(image.encode(np.zeros((16, 16, 3), dtype=np.uint8)))


def test_a_newer_version_says_so(packets):
    with pytest.raises(PacketError, match="version 3"):
        packets.decode(b"\xff\xff123")


@pytest.mark.parametrize("data", [b"", b"a"])
def test_a_packet_without_a_header_is_refused(packets, data):
    with pytest.raises(PacketError, match="shorter"):
        packets.decode(data)
