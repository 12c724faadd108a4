# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The explorer's page in a browser: opening it, changing it, and reading its state."""

from typing import Any

import numpy as np

from amat.analysis.patterns import Response, Trial
from amat.neurons import Neuron
from amat.neurons.currents import CurrentSegment, InputCurrent

__all__ = ["change", "drawn", "linked", "opened", "spikes", "state", "steps", "trial_of"]


def opened(context: Any, address: str) -> Any:
    """Open an address, and return the page when everything is drawn."""
    page = context.new_page()
    page.goto(address, wait_until="domcontentloaded")
    drawn(page)
    return page


def linked(context: Any, explorer: str, fragment: str) -> Any:
    """Open the explorer with a state."""
    return opened(context, f"{explorer}#{fragment}")


def change(page: Any, fragment: str) -> None:
    """Give an open page another state."""
    page.evaluate(
        """hash => new Promise(resolve => {
            addEventListener('hashchange', resolve, {once: true});
            location.hash = hash;
        }).then(() => null)""",
        fragment,
    )
    drawn(page)


def drawn(page: Any) -> None:
    """Wait until all pending changes are drawn."""
    page.wait_for_function("window.AmatExplorer?.page?.waiting.size === 0")


def state(page: Any) -> dict[str, Any]:
    """Return the state of the page."""
    return page.evaluate("AmatExplorer.page.state")


def spikes(page: Any, model: str) -> list[int]:
    """Return the time steps of a neuron's spikes."""
    return page.evaluate("model => AmatExplorer.page.results[model].spikeSteps", model)


def steps(response: Response) -> list[int]:
    """Return the time steps of a response's spikes."""
    return np.rint(response.spikes / response.trial.neuron.resolution).astype(int).tolist()


def trial_of(page: Any, model: str, like: Trial) -> Trial:
    """Return the trial that a page shows, for a neuron of the kind of another trial."""
    shown = page.evaluate("model => AmatExplorer.page.trials[model]", model)
    neuron = like.neuron
    parameters = neuron.parameters.replace(**shown["parameters"])
    segments = tuple(CurrentSegment(*segment) for segment in shown["segments"])
    shown_neuron = Neuron(parameters, shown["initial"], shown["resolution"], neuron.pattern)
    return Trial(shown_neuron, InputCurrent(segments, shown["baseline"]), shown["duration"])
