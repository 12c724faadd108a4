# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Stimuli, simulations on NEST, and exact solutions.

May import `amat.toolchain`, `amat.neurons` and the foundation.
"""
