# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The images, built once per run from a copy of the checkout, and results from outside to compare theirs with."""

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from base import import_base, registry
from engines import USER, Apptainer, Docker
from rig import AMAT, Finished, require_packages, run, system_path

from amat import paths
from amat.compendium.notebooks import execute_notebook
from amat.compendium.pipeline import check_config, notebook_parameters
from amat.compendium.provenance import commit, commit_time

#: The required commands and their Debian packages.
COMMANDS = {
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
    "docker-registry": "docker-registry",
    "podman": "podman",
    "runc": "runc",
    "ip": "iproute2",
    "setpriv": "util-linux",
    "openssl": "openssl",
}
#: Files of a checkout that no image is made of.
IGNORED = shutil.ignore_patterns(
    *(".git", ".venv", ".snakemake", ".*_cache", "__pycache__", "_build", "build", "results", "generated"),
    "source.json",
)
#: A folder of certificates that this machine trusts in addition to Debian's.
CERTIFICATES = Path("/usr/local/share/ca-certificates")
TAG = "localhost/amat"


@dataclass(frozen=True)
class Image:
    """An image: `run` calls its entry point with arguments, in a folder `cwd`; `work` is a folder for its results."""

    run: Callable[..., Finished]
    work: Path
    labels: dict[str, str]


@pytest.fixture(scope="session")
def folder(request):
    """A folder for all files of these tests; kept if a test fails."""
    if os.geteuid():
        pytest.skip("needs root, to make the images' base: best in a container")
    path = system_path()
    require_packages(lambda: {name for command, name in COMMANDS.items() if shutil.which(command, path=path) is None})
    # /tmp may be in memory, and the images are large. The ordinary user must be able to enter the folder.
    made = Path(tempfile.mkdtemp(prefix="amat-", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    if request.session.testsfailed:
        print(f"\nThe images and their results are in {made}", file=sys.stderr)
    else:
        shutil.rmtree(made)


@pytest.fixture(scope="session")
def checkout_commit():
    """The commit of the checkout, marked if files differ from it; None outside a clone."""
    return commit()


@pytest.fixture(scope="session")
def arguments(checkout_commit):
    """The arguments of a build."""
    return {"commit": checkout_commit, "source_date_epoch": str(commit_time())} if checkout_commit else {}


@pytest.fixture(scope="session")
def locked(root):
    """A function that returns the version of a package in the lock."""
    lock = (root / "containers" / "requirements.lock").read_text()
    return lambda package: re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)[1]


@pytest.fixture(scope="session")
def checkout(root, folder):
    """A copy of the checkout, with the certificates of this site and one that no machine trusts."""
    target = folder / "checkout"
    shutil.copytree(root, target, ignore=IGNORED)
    shutil.rmtree(target / "book" / "notebooks", ignore_errors=True)
    certificates = target / "containers" / "certificates"
    for certificate in CERTIFICATES.glob("*.crt"):
        shutil.copy2(certificate, certificates)
    args = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    run(*args, "-keyout", os.devnull, "-out", certificates / "test.crt")
    return target


@pytest.fixture(scope="session")
def outside(folder):
    """Results of the environment that runs the tests, to compare the images' results with."""
    made = folder / "outside"
    made.mkdir()
    run(AMAT, "validate", "--samples", 100, "--seed", 3, "--csv", "validate.csv", cwd=made)
    parameters = notebook_parameters(check_config(paths.CONFIG / "config.yaml"), "validation")
    run(AMAT, "build", "amat2_psc_exp_neuron_nestml", "--record", made / "modules.json")
    execute_notebook(paths.NOTEBOOKS / "validation.ipynb", made / "validation.ipynb", made, parameters, {})
    return made


# --- Docker ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def docker(folder):
    """The store of images, which holds the base."""
    store = Docker(folder)
    import_base(store.buildah, folder)
    return store


@pytest.fixture(scope="session")
def docker_image(docker, folder, checkout, arguments):
    """The image of the Dockerfile."""
    given = [f"{name.upper()}={value}" for name, value in arguments.items()]
    docker.build(checkout, TAG, given, folder / "docker-build.log")
    work = folder / "docker"
    work.mkdir()
    user = USER + 1
    os.chown(work, user, user)

    def call(*args, cwd=work, **options):
        return docker.run(TAG, *args, folder=cwd, user=user, **options)

    return Image(call, work, docker.labels(TAG))


# --- Apptainer -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def apptainer(docker, folder):
    """Apptainer, with a registry that serves the base."""
    with registry(docker.buildah, folder) as address:
        yield Apptainer(folder, address)


@pytest.fixture(scope="session")
def build_sif(apptainer, checkout, folder, arguments):
    """A function that builds apptainer.def with arguments, and returns the image's file."""

    def build(name, **others):
        image = apptainer.work / f"{name}.sif"
        given = [word for item in {**arguments, **others}.items() for word in ("--build-arg", "{}={}".format(*item))]
        log = folder / f"{name}-build.log"
        apptainer("build", "--fakeroot", *given, image, "apptainer.def", cwd=checkout, log=log)
        return image

    return build


@pytest.fixture(scope="session")
def sif(apptainer, build_sif):
    """The file of the image of apptainer.def. The user's home gets packages and settings that must not matter."""
    image = build_sif("amat")
    numpy = apptainer.home / ".local" / "lib" / "python3.11" / "site-packages" / "numpy" / "__init__.py"
    matplotlib = apptainer.home / ".config" / "matplotlib" / "matplotlibrc"
    for path, text in ((numpy, "raise ImportError('the NumPy of the home')\n"), (matplotlib, "figure.dpi: 7\n")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    run("chown", "-R", f"{USER}:{USER}", apptainer.home)
    return image


def sif_image(apptainer, sif, folder_name, contained):
    work = apptainer.folder_of_user(folder_name)

    def call(*args, cwd=work, env=None, **options):
        if not contained:
            return apptainer("run", sif, *args, cwd=cwd, env=env, network=False, **options)
        variables = [word for name, value in (env or {}).items() for word in ("--env", f"{name}={value}")]
        flags = ["--containall", "--no-home", "--cleanenv", "--bind", cwd, "--pwd", cwd, *variables]
        return apptainer("run", *flags, sif, *args, cwd=cwd, network=False, **options)

    inspected = json.loads(apptainer("inspect", "--json", "--labels", sif).output)
    return Image(call, work, inspected["data"]["attributes"]["labels"])


@pytest.fixture(scope="session")
def apptainer_image(apptainer, sif):
    """The image of apptainer.def, run as a user does."""
    return sif_image(apptainer, sif, "work", contained=False)


@pytest.fixture(scope="session")
def contained_image(apptainer, sif):
    """The image of apptainer.def, run apart from the user's home and variables."""
    return sif_image(apptainer, sif, "contained", contained=True)


@pytest.fixture(scope="session", params=["docker", "apptainer", "contained"])
def image(request):
    """Each image in turn."""
    return request.getfixturevalue(f"{request.param}_image")
