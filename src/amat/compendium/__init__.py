# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Execution of notebooks, the pipeline, provenance, result tables and figure style.

May import `amat.neurons` and the foundation.
"""
