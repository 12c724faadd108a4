# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Let NESTML generate code for a target, in a process of its own, since NESTML keeps its state in globals.

``python worker.py REQUEST.json`` does what the request says; what NESTML stops with goes to standard error.
"""

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path

from amat.toolchain.catalogue import FAST_ANALYTIC

__all__ = ["main"]


def main(request_file: str) -> int:
    """Carry out a request; what NESTML stops with goes to standard error, and the exit status is 1."""
    from pynestml.frontend.pynestml_frontend import generate_target

    request = json.loads(Path(request_file).read_text())
    # Expressions that ODE-toolbox writes are nested deeper than Python's default limit.
    sys.setrecursionlimit(10000)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            generate_target(
                request["source"],
                request["target"],
                target_path=request["code"],
                logging_level="ERROR",
                module_name="nestmlmodule",
                suffix="",
                codegen_opts=dict(FAST_ANALYTIC),
            )
    except Exception as error:  # whatever it is, it is what is to be reported
        print("".join(traceback.format_exception_only(error)).strip(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
