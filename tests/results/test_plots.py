from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from synthetic_records import INFO, realistic

from results.outcome import write_outcome
from results.plots import PLOTS, write_plots
from results.plots.front import front_figure
from results.plots.parallel import parallel_figure
from results.rival_point import Figures, RivalPoint


def ink(path):
    """The share of pixels that are not white."""
    pixels = np.asarray(Image.open(path).convert("L"))
    return float((pixels < 245).mean())


@pytest.mark.parametrize("name", PLOTS)
def test_each_plot_is_a_png_with_something_on_it(name, records, tmp_path):
    (path,) = write_plots(records, INFO, tmp_path, [name])
    assert path.name == f"{name}.png"
    assert Image.open(path).format == "PNG"
    assert ink(path) > 0.02


def test_rivals_stand_on_the_front_with_a_line_each_in_the_legend(records):
    def legend(points):
        return {text.get_text() for text in front_figure(records, INFO, points).legends[0].get_texts()}

    names = ("edge only", "plain cut", "cascade", "fixed bottleneck")
    points = [RivalPoint(name, {}, "", Figures(0.6, 1e6, 0 if name == "edge only" else 500)) for name in names]
    assert legend(points) - legend([]) == {f"rival: {name}" for name in names}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_smallest_runs_can_be_drawn(count, tmp_path):
    some = realistic(1, finalists=False)[-count:] if count else []
    assert all(ink(path) > 0.001 for path in write_plots(some, INFO, tmp_path))


def test_the_parallel_plot_has_no_axis_for_what_is_fixed(records):
    def titles(members):
        return {text.get_text() for text in parallel_figure(members, INFO).axes[0].texts}

    fixed = [replace(each, config=replace(each.config, bits=4)) for each in records]
    varied = [replace(each, config=replace(each.config, bits=1 + each.number % 8)) for each in records]
    assert "bits" not in titles(fixed)
    assert "bits" in titles(varied)


def test_the_parallel_plot_shows_what_the_edge_sees_where_that_differs(records):
    def ticks(members):
        texts = [text.get_text() for text in parallel_figure(members, INFO).axes[0].texts]
        return "edge's image\n(side)" in texts, "48" in texts, "96" in texts

    differ = [
        replace(each, config=replace(each.config, resolution=48 * (each.number % 2) if each.config.split else 0))
        for each in records
    ]
    assert ticks(differ) == (True, True, True)
    assert not ticks(records)[0]


def test_a_run_leaves_its_files_and_plots_in_its_folder(tmp_path):
    paths = write_outcome(realistic(3), INFO, tmp_path)
    found = {str(path.relative_to(tmp_path)) for path in paths}
    assert found == {"pareto.json", "pareto.csv", *(f"plots/{name}.png" for name in PLOTS)}
    assert all(path.exists() for path in paths)
