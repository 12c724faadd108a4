# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Scientific questions about the neurons, one module or package each.

May import `amat.simulation` and the layers below.
"""
