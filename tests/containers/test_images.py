# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The images, built from the project's own files and run without a network.

Spikes, versions and the numbers of the validation are compared with those from outside; a status of 0 is not enough.
"""

import json
import tomllib

import numpy as np
import pandas as pd
import pytest
from network_spikes import read_spikes

MODELS = ("amat2_psc_exp", "amat2_psc_exp_neuron_nestml", "amat2_psc_exp_neuron_opt")
#: The time steps of the spikes in NEST's own test of amat2_psc_exp.
EXPECTED = [11, 32, 54]
#: The voltage of a user's own model after one time constant.
USER_SCRIPT = """\
import amat, nest
amat.install("leak_neuron.nestml")
neuron = nest.Create("leak_neuron_nestml", params={"x": 1.0})
nest.Simulate(10.0)
print(neuron.x)
"""

pytestmark = pytest.mark.timeout(3600)


def assert_same(inside, outside):
    """Assert that two tables of a validation have the same spikes, and voltages within 1e-9 mV."""
    pd.testing.assert_frame_equal(pd.read_csv(inside), pd.read_csv(outside), rtol=0, atol=1e-9)


# --- every image -----------------------------------------------------------------------------------------------------


def test_self_test(image, locked, checkout_commit):
    record = json.loads(image.run("selftest").output)
    assert record["steps"] == dict.fromkeys(MODELS, EXPECTED)
    for package in ("nest-simulator", "nestml"):
        assert record["versions"][package] == locked(package)
    assert set(MODELS[1:]) <= set(record["modules"])
    assert record["commit"] == checkout_commit


def test_first_spike_within_five_seconds_of_the_start(image):
    assert min(image.run("selftest", "--first-spike").seconds for _ in range(3)) < 5


def test_labels(image, root, checkout_commit):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = {"version": project["version"], "licenses": project["license"], "revision": checkout_commit or "unknown"}
    assert {name: image.labels[f"org.opencontainers.image.{name}"] for name in wanted} == wanted


def test_validation_has_the_results_from_outside(image, outside):
    image.run("validate", "--samples", 100, "--seed", 3, "--csv", "validate.csv")
    assert_same(image.work / "validate.csv", outside / "validate.csv")


def test_users_own_model_is_compiled_and_correct(image, root):
    text = (root / "tests" / "models" / "leak_neuron.nestml").read_text()
    (image.work / "leak_neuron.nestml").write_text(text)
    (image.work / "script.py").write_text(USER_SCRIPT)
    assert "leak_neuron_nestml" in image.run("build", "leak_neuron.nestml").output
    assert float(image.run("python", "script.py").output.split()[-1]) == pytest.approx(np.exp(-1), abs=1e-9)


def test_unwritable_cache_is_refused(image, root):
    text = (root / "tests" / "models" / "leak_neuron.nestml").read_text()
    (image.work / "second_neuron.nestml").write_text(text.replace("leak_", "second_"))
    done = image.run("build", "second_neuron.nestml", env={"AMAT_CACHE": "/proc/1/cache"}, check=False)
    assert done.status
    assert "AMAT_CACHE" in done.errors


def test_folder_with_other_results_is_refused(image):
    other = image.work / "other"
    (other / "amat-results").mkdir(parents=True)
    other.chmod(0o777)
    done = image.run(cwd=other, check=False)
    assert done.status
    assert "AMAT_RESULTS" in done.errors


def test_image_cannot_be_written_to(image):
    assert image.run("shell", "-c", "touch /opt/amat/here", check=False).status


def test_no_certificate_of_the_build_remains(image, checkout):
    trusted = image.run("shell", "-c", "cat /etc/ssl/certs/ca-certificates.crt").output
    assert trusted.count("BEGIN CERTIFICATE") > 50
    # The last full line of a certificate is part of its signature.
    used = [path.read_text().split()[-4] for path in (checkout / "containers" / "certificates").glob("*.crt")]
    assert used
    assert not any(line in trusted for line in used)
    folders = "/usr/local/share/ca-certificates /opt/certificates"
    assert image.run("shell", "-c", f"find {folders} -type f", check=False).output == ""


# --- Docker ----------------------------------------------------------------------------------------------------------


def test_jupyterlab_of_docker(docker_image, locked):
    assert docker_image.run("jupyter", "--version").output.strip() == locked("jupyterlab")


def test_fast_tests_pass_in_docker(docker_image):
    done = docker_image.run("test", "tests/unit", "-m", "not slow")
    assert " passed" in done.output.strip().splitlines()[-1]


# --- Apptainer -------------------------------------------------------------------------------------------------------


def test_apptainer_image_has_at_most_700_mb(sif):
    assert sif.stat().st_size < 700e6


def test_apptainer_test(apptainer, apptainer_image, sif):
    tested = apptainer("test", sif, cwd=apptainer_image.work, network=False)
    assert json.loads(tested.output)["steps"] == dict.fromkeys(MODELS, EXPECTED)
    assert tested.seconds < 60


def test_apps(apptainer, apptainer_image, sif, locked):
    work = apptainer_image.work
    assert apptainer("run", "--app", "jupyter", sif, "--version", cwd=work).output.strip() == locked("jupyterlab")
    args = ["-c", "python -c 'import nest; print(nest.__version__)'"]
    shown = apptainer("run", "--app", "shell", sif, *args, cwd=work).output
    assert shown.split()[-1] == locked("nest-simulator")


def test_apptainer_image_is_a_command(apptainer, apptainer_image, sif):
    helped = apptainer("--help", program=sif, cwd=apptainer_image.work).output
    assert "reproduce" in helped


def test_bill_of_materials_lists_python_and_debian_packages(apptainer, sif):
    bill = json.loads(apptainer("exec", sif, "cat", "/opt/amat/sbom.cdx.json").output)
    kinds = {component["purl"].split("/")[0] for component in bill["components"] if "purl" in component}
    assert {"pkg:pypi", "pkg:deb"} <= kinds


def test_run_without_arguments_reproduces_everything(apptainer, apptainer_image, outside, folder, checkout_commit):
    empty = apptainer.folder_of_user("empty")
    apptainer_image.run(cwd=empty, log=folder / "apptainer-run.log", timeout=3000)
    made = empty / "amat-results"
    assert (made / "_build" / "html" / "index.html").is_file()
    assert_same(made / "results" / "validation" / "validation.csv", outside / "validation.csv")
    record = json.loads((made / "results" / "validation" / "provenance.json").read_text())
    assert record["commit"] == checkout_commit


def test_two_mpi_ranks_have_the_spikes_of_one(apptainer, build_sif):
    """The ranks are started by the image's mpirun; on a cluster the host's srun starts one image per rank."""
    image = build_sif("amat-mpi", mpi="yes", jupyter="no")
    work = apptainer.folder_of_user("mpi")
    models = ("amat2_psc_exp", "amat2_psc_exp_neuron_opt")
    found = {}
    for ranks, launcher in ((1, ""), (2, "mpirun --oversubscribe -n 2 ")):
        script = f"python /opt/amat/tests/network_spikes.py {work / str(ranks)} {' '.join(models)} --ranks {ranks}"
        apptainer("run", image, "shell", "-c", launcher + script, cwd=work, network=False, timeout=600)
        found[ranks] = {model: read_spikes(work / str(ranks), model) for model in models}
    for model in models:
        assert np.array_equal(found[1][model][0], found[2][model][0])
        assert np.array_equal(found[1][model][0], found[1]["amat2_psc_exp"][0])
        assert min(found[2][model][1]) > 0
