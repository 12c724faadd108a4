# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons, their parameter sets and conventions, and published firing patterns.

May import only the foundation.
"""
