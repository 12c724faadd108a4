# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Say on which day the checks of the images passed with these contents, or that they are skipped."""

from amat import paths
from amat.containers.checks import DEPENDS_ON
from amat.verification import content_hash, recorded_date

assert paths.ROOT is not None, "this belongs to a checkout"
digest = content_hash(paths.ROOT, DEPENDS_ON)
for name, command in (("containers", "verify containers"), ("containers-mpi", "verify containers --mpi")):
    if date := recorded_date(name, digest):
        print(f"ci: {command} passed on {date} with the same contents ({digest[:12]})")
    else:
        print(f"ci: 1 check skipped: {command}, for want of time; no pass is recorded for {digest[:12]}")
