# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The ``amat`` command as ``python -m amat``."""

from amat.cli.app import main

if __name__ == "__main__":
    main()
