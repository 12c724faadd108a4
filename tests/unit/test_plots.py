# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Figure files with the same bytes in each run, in spite of rounding errors of the layout."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from amat.compendium import plots


class Jitter(ConstrainedLayoutEngine):
    """A layout whose positions differ in their last digits each time."""

    rng = np.random.default_rng(1)

    def execute(self, fig):
        super().execute(fig)
        for axes in fig.axes:
            place = axes.get_position(original=True).bounds
            axes.set_position(place + 1e-13 * self.rng.standard_normal(4))
            axes.set_in_layout(True)


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context():
        plots.use_style()
        yield
    plt.close("all")


def make_figure() -> Figure:
    """Return a figure with panels of several sizes, a colour bar and a panel of equal aspect."""
    figure = plt.figure(figsize=(6.0, 4.0))
    left, right = figure.add_gridspec(1, 2, width_ratios=[2, 1])
    image = figure.add_subplot(left).imshow(np.eye(3))
    figure.colorbar(image, ax=figure.axes[0], label="entries")
    upper, lower = (figure.add_subplot(cell) for cell in right.subgridspec(2, 1))
    upper.plot([0.0, 1.0], [1.0, 2.0])
    lower.set(title="below", xlabel="time (ms)", aspect="equal")
    return figure


def test_file_does_not_depend_on_the_last_digits_of_the_layout(tmp_path):
    saved, plain = set(), set()
    for _ in range(3):
        figure = make_figure()
        figure.set_layout_engine(Jitter())
        plots.save(figure, tmp_path / "figure.svg")
        saved.add((tmp_path / "figure.svg").read_bytes())
        figure = make_figure()
        figure.set_layout_engine(Jitter())
        figure.savefig(tmp_path / "plain.svg", metadata={"Date": None})
        plain.add((tmp_path / "plain.svg").read_bytes())
    assert len(saved) == 1
    assert len(plain) > 1


def test_layout_is_computed_again_after_saving(tmp_path):
    figure = make_figure()
    engine = figure.get_layout_engine()
    plots.save(figure, tmp_path / "large.png")
    assert figure.get_layout_engine() is engine
    before = figure.axes[0].get_position().bounds
    figure.set_size_inches(3.0, 2.0)
    plots.save(figure, tmp_path / "small.png")
    assert np.abs(np.subtract(figure.axes[0].get_position().bounds, before)).max() > 0.01


def test_positions_without_a_layout_engine_are_kept(tmp_path):
    mpl.rcParams["figure.constrained_layout.use"] = False
    figure = Figure()
    axes = figure.add_axes((0.1234567891, 0.2, 0.5, 0.5))
    plots.save(figure, tmp_path / "figure.png")
    assert figure.get_layout_engine() is None
    assert axes.get_position().x0 == pytest.approx(0.1234567891, abs=1e-12)
