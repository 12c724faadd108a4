# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Files of benchmark matrices and sites."""

import dataclasses
import itertools
import math
import sys
from pathlib import Path

import pytest
import yaml

from amat import paths
from amat.benchmark.cell import Cell
from amat.benchmark.matrix import Site, find_matrix, find_site, read_matrix, read_site
from amat.errors import AmatError

PLAN = {
    "time": 100,
    "seeds": [1, 2],
    "models": ["amat2_psc_exp", "amat2_psc_exp_neuron_opt"],
    "sets": [{"workload": "network", "neurons": [1000], "layouts": ["1x2", "4x1"]}],
}


def write(folder, content):
    path = folder / "plan.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def test_cells_are_the_product_of_all_lists(tmp_path):
    cells = read_matrix(write(tmp_path, PLAN)).cells
    assert len(cells) == 2 * 2 * 2
    assert {(cell.ranks, cell.threads) for cell in cells} == {(1, 2), (4, 1)}
    assert {cell.seed for cell in cells} == {1, 2}
    assert all(cell.duration == 100.0 and cell.resolution == 0.1 for cell in cells)
    assert len({cell.name for cell in cells}) == len(cells)


def test_the_order_is_random_and_reproducible(tmp_path):
    plan = {**PLAN, "seeds": list(range(1, 21))}
    cells = read_matrix(write(tmp_path, plan)).cells
    assert cells == read_matrix(write(tmp_path, plan)).cells
    models = [cell.model for cell in cells]
    changes = sum(a != b for a, b in itertools.pairwise(models))
    assert len(models) / 4 < changes < len(models) * 3 / 4
    names = [cell.name for cell in cells]
    assert names != sorted(names)


def test_weak_scaling_has_equal_neurons_per_thread(tmp_path):
    plan = {**PLAN, "sets": [{"workload": "neurons", "neurons_per_thread": [500], "layouts": ["1x1", "2x4"]}]}
    assert {cell.neurons for cell in read_matrix(write(tmp_path, plan)).cells} == {500, 4000}


def test_only_generated_models_are_compiled(tmp_path):
    assert read_matrix(write(tmp_path, PLAN)).modules == ["amat2_psc_exp_neuron_opt"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": ["amat3"]}, "amat3 is not among the models"),
        ({"seeds": []}, "is wrong at seeds"),
        ({"seed": 1}, "'seed' was unexpected"),
        ({"sets": [{"workload": "network", "neurons": [10], "layouts": ["2"]}]}, "is wrong at sets.0.layouts.0"),
        ({"sets": [{"workload": "network", "layouts": ["1x1"]}]}, "is wrong at sets.0"),
        ({"sets": [{**PLAN["sets"][0], "neurons": [3]}]}, "neurons must be 10 or more, got 3"),
        ({"sets": [PLAN["sets"][0], {**PLAN["sets"][0], "time": 7}]}, "twice with different times"),
        ({"time": math.nan}, "is wrong at time: numbers must be finite"),
        ({"resolution": math.inf}, "is wrong at resolution: numbers must be finite"),
        ({"sets": [{**PLAN["sets"][0], "time": math.nan}]}, "is wrong at sets.0.time: numbers must be finite"),
        (
            {"sets": [{**PLAN["sets"][0], "workload": "neurons", "indegree": [500]}]},
            "indegree 500 has no effect on unconnected neurons",
        ),
        ({"time": 100.05}, "must be a multiple of the time step"),
        ({"resolution": 0.3}, "resolution must divide"),
        ({"sets": [{**PLAN["sets"][0], "neurons": [1000.0]}]}, r"1000\.0"),
    ],
)
def test_a_wrong_matrix_is_refused(tmp_path, change, message):
    with pytest.raises(AmatError, match=message):
        read_matrix(write(tmp_path, {**PLAN, **change}))


def test_a_matrix_that_is_not_yaml_is_refused(tmp_path):
    with pytest.raises(AmatError, match="is not YAML"):
        read_matrix(write(tmp_path, "time: ["))


def test_a_key_that_occurs_twice_is_refused(tmp_path):
    with pytest.raises(AmatError, match="line 2: the key 'time' occurs twice"):
        read_matrix(write(tmp_path, f"time: 100\ntime: 200\n{yaml.safe_dump({**PLAN, 'time': 300})}"))


def test_all_shipped_files_are_valid():
    matrices = sorted((paths.CONFIG / "benchmarks").glob("*.yaml"))
    sites = sorted((paths.CONFIG / "sites").glob("*.yaml"))
    assert {path.stem for path in matrices} >= {"quick", "local", "cluster", "scaling"}
    assert {path.stem for path in sites} >= {"workstation", "generic", "jureca", "jusuf"}
    for path in matrices:
        assert read_matrix(path).cells
    for path in sites:
        assert read_site(path).start(Cell("amat2_psc_exp", ranks=4)).count("4") == 1


def test_files_are_found_by_name_and_by_path(tmp_path):
    assert find_matrix("quick") == paths.CONFIG / "benchmarks" / "quick.yaml"
    assert find_site("generic") == paths.CONFIG / "sites" / "generic.yaml"
    path = write(tmp_path, PLAN)
    assert find_matrix(str(path)) == path
    with pytest.raises(
        AmatError, match=r"no matrix 'big': name one of cluster, local, microcircuit, quick, scaling, or a file"
    ):
        find_matrix("big")


SITE = Site(launcher="srun -n {ranks} -c {threads}", cores_per_node=8)


@pytest.mark.parametrize(("ranks", "threads", "nodes"), [(1, 1, 1), (8, 1, 1), (9, 1, 2), (2, 8, 2), (3, 3, 2)])
def test_ranks_are_spread_over_the_nodes_that_they_need(ranks, threads, nodes):
    assert SITE.nodes(Cell("amat2_psc_exp", ranks=ranks, threads=threads)) == nodes


def test_a_launcher_is_used_for_several_ranks_only():
    assert SITE.start(Cell("amat2_psc_exp", ranks=1, threads=4)) == ""
    assert SITE.start(Cell("amat2_psc_exp", ranks=2, threads=4)) == "srun -n 2 -c 4"
    assert dataclasses.replace(SITE, cores_per_node=None).nodes(Cell("amat2_psc_exp")) is None


def test_a_rank_larger_than_a_node_is_refused():
    with pytest.raises(AmatError, match="has 9 threads per rank, but a node has 8 cores"):
        SITE.nodes(Cell("amat2_psc_exp", threads=9))


def test_jobs_run_in_the_image_of_the_option_or_of_the_site(tmp_path):
    own, other = tmp_path / "own.sif", tmp_path / "with space.sif"
    site = write(tmp_path, f"launcher: srun -n {{ranks}}\nimage: {own}\n")
    with pytest.raises(AmatError, match=r"no image .*own\.sif: build it"):
        read_site(site)
    own.touch()
    other.touch()
    folder = Path("/scratch/run")
    assert read_site(site).amat(folder) == f"apptainer run --bind /scratch/run {own}"
    assert read_site(site, other).amat(folder) == f"apptainer run --bind /scratch/run '{other}'"
    assert SITE.amat(folder) == str(Path(sys.executable).with_name("amat"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("launcher: srun", "is wrong at launcher"),
        ("launcher: 'srun -n {ranks} {tasks}'", "may contain {ranks} and {threads} only"),
        ("partition: batch", "'launcher' is a required property"),
    ],
)
def test_a_wrong_site_is_refused(tmp_path, content, message):
    with pytest.raises(AmatError, match=message):
        read_site(write(tmp_path, content))
