# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Studies of fits to recorded spikes: recovery of known parameters, and scores on recordings of others."""
