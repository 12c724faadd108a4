# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

# Each notebook answers one question. Its rule takes parameters and writes the executed notebook and its results.

EXECUTE = "scripts/execute_notebook.py"
PUBLISHED_DATA = sorted(path for path in Path("data").iterdir() if path.suffix in {".csv", ".yaml"})


def notebook_library(name):
    """Return the modules that running a notebook imports.

    The toolchain is left out: a notebook depends on what it builds, by the record of the compiled modules.
    """
    return [EXECUTE, *imports(f"notebooks/{name}.ipynb", EXECUTE, without="amat.toolchain")]


def module_records(name):
    """Return the records of the compiled modules that a notebook loads."""
    ablation = ["results/ablation_modules.json"] if name == "code_generation" else []
    return ["results/modules.json", *ablation]


RUN_NOTEBOOK = (
    f"python {EXECUTE} {{input.notebook}} {{output.executed}} {{output.results}} "
    "--modules {input.modules} --parameters {params.parameters:q} > {log} 2>&1"
)


rule notebook:
    input:
        notebook="notebooks/{name}.ipynb",
        modules=lambda wildcards: module_records(wildcards.name),
        library=lambda wildcards: notebook_library(wildcards.name),
        data=PUBLISHED_DATA,
        shipped=lambda wildcards: shipped_tables(wildcards.name),
    output:
        executed="book/notebooks/{name}.ipynb",
        results=directory("results/{name}"),
    params:
        parameters=lambda wildcards: json.dumps(notebook_parameters(config, wildcards.name), sort_keys=True),
    log:
        "build/logs/{name}.log",
    # The notebook that measures run times runs alone.
    threads: lambda wildcards: workflow.cores if wildcards.name == "code_generation" else 1
    message:
        "Executing the notebook {wildcards.name}"
    shell:
        RUN_NOTEBOOK


# One page for each firing pattern.
rule pattern:
    input:
        notebook=f"notebooks/{PATTERN_NOTEBOOK}.ipynb",
        modules=module_records(PATTERN_NOTEBOOK),
        library=notebook_library(PATTERN_NOTEBOOK),
        data=PUBLISHED_DATA,
    output:
        executed="book/notebooks/patterns/{pattern}.ipynb",
        results=directory("results/patterns/{pattern}"),
    params:
        parameters=lambda wildcards: json.dumps(
            {
                **notebook_parameters(config, PATTERN_NOTEBOOK),
                "pattern": wildcards.pattern,
                "title": wildcards.pattern.replace("_", " ").capitalize(),
            },
            sort_keys=True,
        ),
    log:
        "build/logs/pattern_{pattern}.log",
    message:
        "Executing the notebook of the firing pattern {wildcards.pattern}"
    shell:
        RUN_NOTEBOOK
