import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.naming import byte_count, cut, duration, measure, modules, on_edge, percent, sent, si
from search_spaces.config import Config


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (342, "342"),
        (12.44, "12.4"),
        (999.7, "1.00 k"),
        (1_234_567, "1.23 M"),
        (61.4e6, "61.4 M"),
        (2e12, "2.00 T"),
    ],
)
def test_metric_prefixes(value, text):
    assert si(value) == text


@given(st.floats(0, 1e14))
def test_a_number_never_takes_more_than_six_places(value):
    assert len(si(value)) <= 6


def test_units():
    assert byte_count(342) == "342 B"
    assert byte_count(1210) == "1.21 kB"
    assert measure("edge_flops", 1.2e6) == "1.20 M multiply-adds"
    assert measure("edge_params", 1.2e6) == "1.20 M parameters"
    assert measure("quality", 0.7424) == "0.742"


@pytest.mark.parametrize(
    ("share", "text"), [(0.42, "42 %"), (0.051, "5.1 %"), (0.995, "99.5 %"), (1, "100 %"), (0, "0 %")]
)
def test_percentages(share, text):
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.04, "2.0 s"), (45, "45 s"), (200, "3 min 20 s"), (3900, "1 h 05 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_what_is_sent():
    assert sent(Config(4, width=8, stride=2, bits=3)) == "8ch/2 3b"
    assert sent(Config(0, image_format="webp", image_quality=50, image_resolution=64)) == "webp 50@64"
    assert sent(Config(9)) == "nothing"


def test_what_the_edge_sees():
    whole, smaller = Config(4, (4, 2), width=8), Config(4, (4, 2), width=8, resolution=48)
    assert (cut(whole, 9), cut(smaller, 9)) == ("split 4/9", "split 4/9 at 48 px")
    assert (on_edge(whole), on_edge(smaller), on_edge(Config(0, (4, 4)))) == ("4-2", "4-2@48", "-")


def test_many_stages_are_written_as_runs():
    assert modules((4, 3, 4, 2)) == "4-3-4-2"
    assert modules((4, 4, 4, 4, 2, 2, 1)) == "4x4-2x2-1"
