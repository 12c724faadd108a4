# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Signal-to-noise ratio of responses to sinusoids, which does not depend on the length of a measurement."""

import numpy as np
from numpy.typing import ArrayLike

from amat.arrays import Floats
from amat.checks import require_positive
from amat.errors import AmatError

__all__ = ["signal_to_noise"]


def signal_to_noise(coherence: ArrayLike, *, window: float = 2000.0) -> Floats:
    """Return the signal-to-noise ratio per second from the coherence with a sinusoid in windows.

    A sinusoid is a line in the spectrum: its Fourier coefficient in a window of length T has a mean that does not
    depend on T and a variance N / T. The coherence ``S / (S + N / T)`` tends to 1 as T grows, so that it describes the
    window as much as the neuron. The ratio ``C / (1 - C) / T = S / N`` does not depend on T. For a Poisson process of
    rate r0 with relative modulation m it is ``r0 m^2 / 4``.

    Parameters
    ----------
    coherence : array_like
        From `estimate`: squared modulus of the mean over the mean squared modulus, 0 to 1.
    window : float
        ms.

    Returns
    -------
    ndarray
        In 1/s; infinite where the coherence is 1.

    Raises
    ------
    AmatError
        If a coherence is outside its range, or the window is not positive.
    """
    values = np.asarray(coherence, dtype=np.float64)
    length = float(require_positive("The window", window, "ms"))
    refused = values[(values < 0) | (values > 1)]
    if refused.size:
        raise AmatError(f"A coherence is from 0 to 1, got {refused.flat[0]:g}.")
    with np.errstate(divide="ignore"):
        return np.asarray(values / (1 - values) / (1e-3 * length), dtype=np.float64)
