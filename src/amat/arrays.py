# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Types of NumPy arrays."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Complexes", "Floats", "Integers"]

Complexes = NDArray[np.complex128]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
