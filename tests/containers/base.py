# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The images' base, made from Debian's packages and served in place of Docker Hub.

A machine without access to Docker Hub can thus build the unmodified files. The stand-in has the name, the release and
the packages of Debian's slim image, and comes from a registry on the loopback interface.
"""

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import run, tail

#: The base that apptainer.def and Dockerfile name.
BASE = "docker.io/library/debian:bookworm-slim"

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def mirrors() -> tuple[str, str]:
    """Return the addresses of Debian's archive and of its security archive that this machine's apt uses."""
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").output
    found = [line.rstrip("/") for line in listed.splitlines()]
    archive = next((address for address in found if address.endswith("/debian")), None)
    if archive is None:
        pytest.skip("this machine's apt has no Debian archive from which the images' base could be made")
    return archive, next((address for address in found if "security" in address), archive)


def bootstrap(target: Path, suite: str, sources: list[str], log: Path, *options: str) -> None:
    """Make a folder, or an archive ending in ``.tar``, of a minimal Debian; `options` are those of mmdebstrap."""
    args = ["mmdebstrap", "--mode=root", "--variant=minbase", f"--keyring={_KEYRING}", *options]
    if run(*args, suite, target, *sources, log=log, check=False).status:
        pytest.skip(f"Debian's {suite} cannot be installed from {sources[0]}. {tail(log)}")


def import_base(buildah: list[str], folder: Path) -> None:
    """Put the stand-in for the base into buildah's store, under the name of the base."""
    archive, security = mirrors()
    tree = folder / "base.tar"
    sources = [f"deb {archive} bookworm main", f"deb {archive} bookworm-updates main"]
    sources.append(f"deb {security} bookworm-security main")
    hook = '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"'
    bootstrap(tree, "bookworm", sources, folder / "base.log", "--skip=output/dev", hook)
    container = run(*buildah, "from", "scratch").output.strip()
    run(*buildah, "add", "--quiet", container, tree, "/")
    note = "org.opencontainers.image.description=stand-in for tests; not to be published"
    run(*buildah, "config", "--cmd", "bash", "--label", note, container)
    run(*buildah, "commit", "--quiet", container, BASE)
    run(*buildah, "rm", container)
    tree.unlink()


@contextlib.contextmanager
def registry(buildah: list[str], folder: Path) -> Iterator[str]:
    """Serve the base from a registry on the loopback interface; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'registry'}}}}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    with (folder / "registry.log").open("w") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(settings)], stdout=log, stderr=log)
    try:
        _await(address, process, folder / "registry.log")
        target = f"docker://{address}/{BASE.removeprefix('docker.io/')}"
        run(*buildah, "push", "--quiet", "--tls-verify=false", BASE, target)
        yield address
    finally:
        process.terminate()
        process.wait()


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://{address}/v2/", timeout=2):
            return
        time.sleep(0.2)
    pytest.fail(f"The registry at {address} does not answer. {tail(log)}")
