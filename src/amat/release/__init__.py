# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Archive, citation, deposit, bill of materials, upstream bundle, explorer data.

May import `amat.benchmark` and the layers below.
"""
