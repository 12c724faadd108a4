# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The Dockerfile without Docker's engine: built by buildah, run by podman."""

import json
from collections.abc import Sequence
from pathlib import Path

from amat.containers.processes import Finished, run, without_network

__all__ = ["Docker"]

#: What runc may ask for where the machine's own limits are lower than podman's defaults.
_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096")


class Docker:
    """A store of images of its own.

    Parameters
    ----------
    folder : pathlib.Path
        Of the check.
    """

    def __init__(self, folder: Path) -> None:
        self._store = ("--root", str(folder / "images"), "--runroot", str(folder / "images-run"))
        self.buildah = ["buildah", *self._store]
        self.version = run(["buildah", "--version"]).output.split()[2]

    def build(self, checkout: Path, tag: str, arguments: Sequence[str], log: Path) -> Finished:
        """Build the unmodified Dockerfile of a checkout; its base is the one in the store."""
        given = [word for argument in arguments for word in ("--build-arg", argument)]
        words = [*self.buildah, "build", "--isolation", "chroot", "--pull-never", "--tag", tag, *given, str(checkout)]
        return run(words, log=log)

    def run(
        self,
        tag: str,
        *words: str,
        folder: Path,
        user: int,
        env: dict[str, str] | None = None,
        network: bool = False,
        log: Path | None = None,
        patience: float = 3600,
        check: bool = True,
    ) -> Finished:
        """Run an image's entry point, a folder being mounted where its words say.

        Parameters
        ----------
        tag : str
        *words
            For the entry point.
        folder : pathlib.Path
            Mounted at ``/work``.
        user : int
            The number that it runs as; of no account in the image.
        env : dict, optional
            Variables.
        network : bool
            Whether there is one.
        log, patience, check
            As in `run`.
        """
        variables = [f"--env={name}={value}" for name, value in (env or {}).items()]
        command = ["podman", *self._store, "--runtime", "runc", "run", "--rm", "--pull=never", "--network", "host"]
        command += [*_LIMITS, "--read-only", "--tmpfs", "/tmp", "--user", f"{user}:{user}", *variables]
        command += ["--volume", f"{folder}:/work", tag, *words]
        return run(command if network else without_network(command), log=log, patience=patience, check=check)

    def labels(self, tag: str) -> dict[str, str]:
        """Return an image's labels."""
        described = json.loads(run([*self.buildah, "inspect", "--type", "image", tag]).output)
        labels: dict[str, str] = described["OCIv1"]["config"]["Labels"]
        return labels

    def size(self, tag: str) -> str:
        """Return an image's size as buildah writes it."""
        return str(json.loads(run([*self.buildah, "images", "--json", tag]).output)[0]["size"])
