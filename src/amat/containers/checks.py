# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What `amat verify containers` does: builds the images from the project's own files, runs them, looks at the results.

Everything runs in a folder of its own, on a copy of the checkout. What is asserted are results: spikes, versions, the
numbers of the validation beside those from outside; never an exit status alone.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from amat import paths, toolchain
from amat.compendium.pipeline import check_config, execute_notebook, notebook_parameters
from amat.compendium.provenance import commit, commit_time
from amat.containers.apptainer import USER, Apptainer
from amat.containers.base import import_base, registry
from amat.containers.docker import Docker
from amat.containers.errors import ContainerError
from amat.containers.processes import Finished
from amat.containers.processes import run as process
from amat.debian import install_packages
from amat.files import write_text
from amat.verification import Dependencies

__all__ = ["DEPENDS_ON", "verify_images", "verify_mpi_image"]

#: What the record of a pass is for: see `amat.verification`. The other notebooks run in the image as well, but what is
#: in them is tested elsewhere.
DEPENDS_ON = Dependencies(
    parts=(
        ".dockerignore",
        "Dockerfile",
        "amat",
        "apptainer.def",
        # Not the whole folder: it may hold certificates of a site.
        "containers/entrypoint",
        "containers/install",
        "containers/optional.txt",
        "containers/requirements.lock",
        "containers/selftest.py",
        "models",
        "pyproject.toml",
        "scripts/execute_notebook.py",
        "src/amat/cli/app.py",
        "src/amat/cli/verify.py",
        "packages/nestml-optimised/src/nestml_optimised",
        "src/amat/containers",
        "src/amat/compendium/pipeline.py",
        "src/amat/release/sbom.py",
        "src/amat/toolchain",
        "tests/models/leak_neuron.nestml",
        "workflow",
    ),
    notebooks=("validation",),
)

#: Commands that the check needs, with Debian's packages.
_COMMANDS = {
    "mmdebstrap": "mmdebstrap",
    "buildah": "buildah",
    "docker-registry": "docker-registry",
    "podman": "podman",
    "runc": "runc",
    "ip": "iproute2",
    "setpriv": "util-linux",
    "openssl": "openssl",
}
#: Where a machine keeps what it trusts beside Debian's certificates.
_CERTIFICATES = Path("/usr/local/share/ca-certificates")
#: Parts of a checkout that an image is not made of.
_MADE = shutil.ignore_patterns(
    *(
        ".git",
        ".venv",
        ".snakemake",
        ".*_cache",
        "__pycache__",
        "_build",
        "build",
        "results",
        "generated",
        "source.json",
    )
)
_EXPECTED = [11, 32, 54]
_VALIDATE = ("--sets", "100", "--seed", "3")
#: s, from the start of an image to the first spike of a neuron in it.
_FIRST_SPIKE = 5.0
_SELF_TEST = 60.0  # s
_APPTAINER_SIZE = 700e6  # bytes

#: A model of a user's own, run from inside: the voltage after one time constant.
_USER_SCRIPT = """\
import amat, nest
amat.install("leak_neuron.nestml")
neuron = nest.Create("leak_neuron_nestml", params={"x": 1.0})
nest.Simulate(10.0)
print(neuron.x)
"""

Report = Callable[[str], None]
#: Runs the entry point of an image with words, in a folder, with variables, and says whether a failure is an error.
Run = Callable[..., Finished]


def verify_images(folder: Path, report: Report) -> Path:
    """Build both images and run them, and return the copy of the checkout that they were built from.

    Parameters
    ----------
    folder : pathlib.Path
        For everything that is made.
    report : callable
        Called with a line of text for each step.

    Raises
    ------
    PackageUnavailableError
        If the distribution does not serve what is needed, after all that does not need it.
    ContainerError
        If anything is not as it should be.
    """
    checkout, docker = _prepare(folder, report)
    outside = _outside(folder, report)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(_docker_leg, docker, checkout, folder, outside, report)
        try:
            with registry(docker.buildah, folder) as address:
                apptainer = _apptainer(folder, address, report)
                _apptainer_leg(apptainer, checkout, folder, outside, report)
        finally:
            # A fault of this one is told even where there is no Apptainer.
            other.result()
    return checkout


def verify_mpi_image(folder: Path, report: Report) -> Path:
    """Build the variant with MPI by Apptainer, and compare the spikes of one and of two ranks in it.

    Parameters, errors and what is returned are those of `verify_images`.
    """
    checkout, docker = _prepare(folder, report)
    with registry(docker.buildah, folder) as address:
        apptainer = _apptainer(folder, address, report)
        image = _build_sif(apptainer, checkout, folder, report, mpi="yes", jupyter="no")
        work = apptainer.folder_of_user("mpi")
        found = {}
        for ranks in (1, 2):
            output = work / f"spikes-{ranks}.json"
            words = ["python", "-m", "amat.cluster.spikes", str(output), "amat2_psc_exp", toolchain.AMAT_OPT]
            words += ["--ranks", str(ranks), "--threads", "1"]
            start = [] if ranks == 1 else ["mpirun", "--oversubscribe", "-n", str(ranks)]
            # mpirun is the image's: on a cluster it is the host's srun that starts an image for each rank.
            line = ["shell", "-c", " ".join([*start, *words])]
            apptainer("run", str(image), *line, cwd=work, network=False, patience=600)
            found[ranks] = json.loads(output.read_text())
    hashes = {entry["sha256"] for models in found.values() for entry in models.values()}
    if len(hashes) != 1 or not all(all(entry["per_rank"]) for entry in found[2].values()):
        raise ContainerError(f"Two ranks in the image do not have the spikes of one, or one has none: {found}.")
    one = next(iter(found[2].values()))
    report(f"MPI in the image: {one['spikes']} spikes, {one['per_rank']} by rank, the same as on one rank")
    return checkout


# --- what both need --------------------------------------------------------------------------------------------------


def _prepare(folder: Path, report: Report) -> tuple[Path, Docker]:
    """Install tools, copy the checkout, and make the base."""
    if needed := _needed():
        report(f"installing {' '.join(needed)}")
        install_packages(needed, _needed)
    folder.chmod(0o755)  # the ordinary user goes through it
    _commit()
    checkout = folder / "checkout"
    shutil.copytree(_root(), checkout, ignore=_MADE)
    shutil.rmtree(checkout / "book" / "notebooks", ignore_errors=True)
    # As the documentation tells a site with certificates of its own.
    for certificate in _CERTIFICATES.glob("*.crt"):
        shutil.copy2(certificate, checkout / "containers" / "certificates")
    _own_certificate(checkout / "containers" / "certificates" / "check.crt")
    docker = Docker(folder)
    import_base(docker.buildah, folder)
    report("the base is made of Debian's packages")
    return checkout, docker


def _own_certificate(path: Path) -> None:
    """Write a certificate that no machine trusts, to be sought in the images afterwards."""
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=check"]
    process([*words, "-keyout", os.devnull, "-out", str(path)])


def _needed() -> list[str]:
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
    return sorted(package for command, package in _COMMANDS.items() if shutil.which(command, path=path) is None)


def _outside(folder: Path, report: Report) -> Path:
    """Make what the images' results are compared with, in the environment that runs this."""
    outside = folder / "outside"
    outside.mkdir()
    record = outside / "modules.json"
    command = str(Path(sys.executable).with_name("amat"))
    for words in (
        ["build", toolchain.AMAT, "--record", str(record)],
        ["validate", *_VALIDATE, "--csv", "validate.csv"],
    ):
        subprocess.run([command, *words], check=True, cwd=outside, stdout=subprocess.DEVNULL)
    parameters = notebook_parameters(check_config(paths.CONFIG / "config.yaml"), "validation")
    notebook = paths.NOTEBOOKS / "validation.ipynb"
    execute_notebook(notebook, outside / "validation.ipynb", outside / "results", parameters, {})
    report("outside: validated")
    return outside


def _common(run: Run, work: Path, outside: Path, report: Report, name: str) -> None:
    """Run what every image must be able to do, without a network."""
    record = json.loads(run("selftest", cwd=work).output)
    steps = record["steps"]
    if len(steps) != 3 or any(found != _EXPECTED for found in steps.values()):
        raise ContainerError(f"{name}: spikes at {steps}, and {_EXPECTED} are expected of three models.")
    locked = _locked("nest-simulator", "nestml")
    if {package: record["versions"][package] for package in locked} != locked:
        raise ContainerError(f"{name}: versions {record['versions']}, and the lock has {locked}.")
    if set(record["modules"]) != set(toolchain.DEFAULT_MODELS) or record["commit"] != _commit():
        raise ContainerError(f"{name}: made of {record['commit']} with {sorted(record['modules'])}.")
    seconds = min(run("selftest", "--first-spike", cwd=work).seconds for _ in range(3))
    report(f"{name}: self-test passed; first spike {seconds:.1f} s after the start")
    if seconds > _FIRST_SPIKE:
        raise ContainerError(f"{name}: the first spike came after {seconds:.1f} s; {_FIRST_SPIKE:g} s are allowed.")
    run("validate", *_VALIDATE, "--csv", "validate.csv", cwd=work)
    report(f"{name}: validation {_compare(work / 'validate.csv', outside / 'validate.csv')}")
    shutil.copy2(_root() / "tests" / "models" / "leak_neuron.nestml", work)
    write_text(work / "script.py", _USER_SCRIPT)
    built = run("build", "leak_neuron.nestml", cwd=work)
    value = float(run("python", "script.py", cwd=work).output.split()[-1])
    if "leak_neuron_nestml" not in built.output or abs(value - np.exp(-1)) > 1e-9:
        raise ContainerError(f"{name}: a user's model gives {value} after one time constant, not exp(-1).")
    report(f"{name}: a user's own model is compiled and right, {value:.6f}")
    _refusals(run, work, name)


def _refusals(run: Run, work: Path, name: str) -> None:
    """Try what must be refused, with a message that tells what to do."""
    locked_up = {"AMAT_CACHE": "/proc/1/cache"}
    other = work / "other"
    other.mkdir()
    (other / "amat-results").mkdir()
    other.chmod(0o777)
    write_text(work / "second_neuron.nestml", (work / "leak_neuron.nestml").read_text().replace("leak_", "second_"))
    for words, env, cwd, expected in (
        (["build", "second_neuron.nestml"], locked_up, work, "AMAT_CACHE"),
        ([], {}, other, "AMAT_RESULTS"),
        (["shell", "-c", "touch /opt/amat/here"], {}, work, "touch: "),
    ):
        done = run(*words, cwd=cwd, env=env, check=False)
        if not done.status or expected not in done.errors:
            raise ContainerError(f"{name}: {words} should have been refused, and said {done.errors[-500:]!r}.")


def _compare(inside: Path, outside: Path) -> str:
    """Return how two tables of a validation agree: all spikes must, and voltages but for the last digits."""
    one, other = pd.read_csv(inside), pd.read_csv(outside)
    if list(one) != list(other) or len(one) != len(other):
        raise ContainerError(f"{inside} has other rows or columns than {outside}.")
    numbers = [name for name in one if one[name].dtype.kind == "f"]
    if not one.drop(columns=numbers).equals(other.drop(columns=numbers)):
        raise ContainerError(f"{inside} has other spikes than {outside}.")
    largest = float(np.abs(one[numbers].to_numpy() - other[numbers].to_numpy()).max())
    if not largest <= 1e-9:
        raise ContainerError(f"{inside} differs from {outside} by {largest:g}.")
    same = inside.read_bytes() == outside.read_bytes()
    spikes = int(one["spikes"].sum())
    return f"of {spikes} spikes as outside, {'byte for byte' if same else f'numbers within {largest:.1g}'}"


def _check_certificates(run: Run, work: Path, checkout: Path, name: str) -> None:
    """Find that an image trusts Debian's certificates, and none of those that it was built with."""
    trusted = run("shell", "-c", "cat /etc/ssl/certs/ca-certificates.crt", cwd=work).output
    kept = run("shell", "-c", "find /usr/local/share/ca-certificates /opt/certificates -type f", cwd=work, check=False)
    own = list((checkout / "containers" / "certificates").glob("*.crt"))
    # The last full line of one is of its signature.
    left = [path.name for path in own if path.read_text().split()[-4] in trusted]
    if trusted.count("BEGIN CERTIFICATE") < 50 or not own or left or kept.output:
        raise ContainerError(f"{name}: certificates of the build are in the image: {left} {kept.output.split()}.")


@cache
def _commit() -> str | None:
    """Return the commit at which the check began, whatever is committed meanwhile."""
    return commit()


def _root() -> Path:
    if paths.ROOT is None:
        raise ContainerError("This needs a checkout of the project: clone it, and use ./amat there.")
    return paths.ROOT


def _locked(*packages: str) -> dict[str, str]:
    lock = (_root() / "containers" / "requirements.lock").read_text()
    found = {}
    for package in packages:
        match = re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)
        if match is None:
            raise ContainerError(f"The lock has no {package}.")
        found[package] = match[1]
    return found


def _labels() -> dict[str, str | None]:
    project = tomllib.loads((_root() / "pyproject.toml").read_text())["project"]
    return {"version": project["version"], "licenses": project["license"], "revision": _commit() or "unknown"}


def _check_labels(labels: Mapping[str, Any], name: str) -> None:
    for label, wanted in _labels().items():
        if (found := labels.get(f"org.opencontainers.image.{label}")) != wanted:
            raise ContainerError(f"{name}: the label {label} says {found}, not {wanted}.")


def _arguments(**others: str) -> dict[str, str]:
    """Return the arguments of a build."""
    stated = _commit()
    return {**({"commit": stated, "source_date_epoch": str(commit_time())} if stated else {}), **others}


# --- Docker ----------------------------------------------------------------------------------------------------------


def _docker_leg(docker: Docker, checkout: Path, folder: Path, outside: Path, report: Report) -> None:
    tag = "localhost/amat"
    arguments = [f"{name.upper()}={value}" for name, value in _arguments().items()]
    built = docker.build(checkout, tag, arguments, folder / "docker-build.log")
    report(f"Dockerfile: built with buildah {docker.version} in {built.seconds:.0f} s, {docker.size(tag)}")
    _check_labels(docker.labels(tag), "Docker")
    work = folder / "docker"
    work.mkdir()
    os.chown(work, USER + 1, USER + 1)

    def run(*words: str, cwd: Path, env: dict[str, str] | None = None, check: bool = True, **options: Any) -> Finished:
        return docker.run(tag, *words, folder=cwd, user=USER + 1, env=env, check=check, **options)

    _check_certificates(run, work, checkout, "Docker")
    _common(run, work, outside, report, "Docker")
    version = run("jupyter", "--version", cwd=work).output.strip()
    if version != _locked("jupyterlab")["jupyterlab"]:
        raise ContainerError(f"Docker: JupyterLab says {version}.")
    tested = run("test", "tests/unit", "-m", "not slow", cwd=work).output.strip().splitlines()[-1]
    if " passed" not in tested:
        raise ContainerError(f"Docker: the fast tests end in {tested!r}.")
    report(f"Docker: the fast tests, {tested.strip('= ')}")


# --- Apptainer -------------------------------------------------------------------------------------------------------


def _apptainer(folder: Path, address: str, report: Report) -> Apptainer:
    apptainer = Apptainer(folder, address)
    report(f"Apptainer {apptainer.version} is there")
    return apptainer


def _build_sif(apptainer: Apptainer, checkout: Path, folder: Path, report: Report, **arguments: str) -> Path:
    image = apptainer.work / "amat.sif"
    given = [word for name, value in _arguments(**arguments).items() for word in ("--build-arg", f"{name}={value}")]
    log = folder / "apptainer-build.log"
    built = apptainer("build", "--fakeroot", *given, str(image), "apptainer.def", cwd=checkout, log=log)
    report(f"apptainer.def: built and self-tested in {built.seconds:.0f} s, {image.stat().st_size / 1e6:.0f} MB")
    return image


def _apptainer_leg(apptainer: Apptainer, checkout: Path, folder: Path, outside: Path, report: Report) -> None:
    image = _build_sif(apptainer, checkout, folder, report)
    if image.stat().st_size > _APPTAINER_SIZE:
        raise ContainerError(
            f"The image has {image.stat().st_size / 1e6:.0f} MB; {_APPTAINER_SIZE / 1e6:.0f} are allowed."
        )
    labels = json.loads(apptainer("inspect", "--json", "--labels", str(image)).output)
    _check_labels(labels["data"]["attributes"]["labels"], "Apptainer")
    _foreign_packages(apptainer)
    work = apptainer.folder_of_user("work")
    tested = apptainer("test", str(image), cwd=work, network=False)
    if json.loads(tested.output)["steps"][toolchain.AMAT] != _EXPECTED or tested.seconds > _SELF_TEST:
        raise ContainerError(f"apptainer test said after {tested.seconds:.0f} s: {tested.output[-500:]}")

    def run(*words: str, cwd: Path, env: dict[str, str] | None = None, check: bool = True, **options: Any) -> Finished:
        return apptainer("run", str(image), *words, cwd=cwd, env=env, network=False, check=check, **options)

    def contained(*words: str, cwd: Path, env: dict[str, str] | None = None, check: bool = True) -> Finished:
        variables = [word for name, value in (env or {}).items() for word in ("--env", f"{name}={value}")]
        flags = ["--containall", "--no-home", "--cleanenv", "--bind", str(cwd), "--pwd", str(cwd), *variables]
        return apptainer("run", *flags, str(image), *words, cwd=cwd, network=False, check=check)

    _check_certificates(run, work, checkout, "Apptainer")
    _common(run, work, outside, report, "Apptainer")
    _common(contained, apptainer.folder_of_user("contained"), outside, report, "Apptainer, contained")
    _apps(apptainer, image, work)
    report("Apptainer: apps, and the image as a command")
    empty = apptainer.folder_of_user("empty")
    run(cwd=empty, log=folder / "apptainer-run.log", patience=2400)
    made = empty / "amat-results"
    if not (made / "_build" / "html" / "index.html").is_file():
        raise ContainerError("apptainer run has made no book.")
    agreement = _compare(made / "results" / "validation" / "validation.csv", outside / "results" / "validation.csv")
    record = json.loads((made / "results" / "validation" / "provenance.json").read_text())
    if record["commit"] != _commit():
        raise ContainerError(f"The results of apptainer run say that they are of {record['commit']}.")
    report(f"Apptainer: run with no words, in an empty folder: the book, and the validation {agreement}")
    sbom = json.loads(apptainer("exec", str(image), "cat", "/opt/amat/sbom.cdx.json").output)
    write_text(image.with_suffix(".cdx.json"), json.dumps(sbom, indent=2) + "\n")
    kinds = {component["purl"].split("/")[0] for component in sbom["components"] if "purl" in component}
    if not {"pkg:pypi", "pkg:deb"} <= kinds:
        raise ContainerError(f"The image's bill of materials lists packages of {kinds} alone.")
    report(f"Apptainer: a bill of materials of {len(sbom['components'])} packages, beside the image")


def _foreign_packages(apptainer: Apptainer) -> None:
    """Put into the user's home what must not get into the image: another NumPy, and settings of Matplotlib."""
    site = apptainer.home / ".local" / "lib" / "python3.11" / "site-packages" / "numpy"
    site.mkdir(parents=True)
    write_text(site / "__init__.py", "raise ImportError('the NumPy of the home')\n")
    settings = apptainer.home / ".config" / "matplotlib" / "matplotlibrc"
    settings.parent.mkdir(parents=True)
    write_text(settings, "figure.dpi: 7\n")
    for path in [apptainer.home, *apptainer.home.rglob("*")]:
        os.chown(path, USER, USER)


def _apps(apptainer: Apptainer, image: Path, work: Path) -> None:
    version = apptainer("run", "--app", "jupyter", str(image), "--version", cwd=work).output.strip()
    if version != _locked("jupyterlab")["jupyterlab"]:
        raise ContainerError(f"The app jupyter says {version}.")
    words = ["-c", "python -c 'import nest; print(nest.__version__)'"]
    version = apptainer("run", "--app", "shell", str(image), *words, cwd=work).output.split()[-1]
    if version != _locked("nest-simulator")["nest-simulator"]:
        raise ContainerError(f"NEST in the app shell says {version}.")
    helped = apptainer("--help", program=str(image), cwd=work).output
    if "(no words)" not in helped:
        raise ContainerError(f"The image as a command says {helped[-500:]}")
