# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimuli, one run of NEST, and the exact reference solution.

May import `amat.toolchain`, `amat.neurons` and the foundation.
"""
