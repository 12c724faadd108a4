# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The ``amat`` command: parse arguments, call the library, print.

May import every other layer.
"""
