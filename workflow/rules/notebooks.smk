# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

# Each notebook answers one question: its parameters go in, the executed notebook and its results come out.

# What every notebook may use.
COMMON = {
    "modules": lambda wildcards: [
        "results/modules.json",
        *(["results/ablation_modules.json"] if wildcards.get("name") == "code_generation" else []),
    ],
    "library": sorted(
        path
        for path in Path("src/amat").rglob("*.py")
        # The outcome of the first is in the modules, that of the second in the book.
        if path.relative_to("src/amat").parts[0] not in {"toolchain", "release"}
    ),
    "data": sorted(path for path in Path("data").iterdir() if path.suffix in {".csv", ".yaml"}),
    "shipped": lambda wildcards: shipped_tables(wildcards.get("name")),
}
EXECUTE = (
    "python scripts/execute_notebook.py {input.notebook} {output.executed} {output.results} "
    "--modules {input.modules} --parameters {params.parameters:q} > {log} 2>&1"
)


rule notebook:
    input:
        notebook="notebooks/{name}.ipynb",
        **COMMON,
    output:
        executed="book/notebooks/{name}.ipynb",
        results=directory("results/{name}"),
    params:
        parameters=lambda wildcards: json.dumps(notebook_parameters(config, wildcards.name), sort_keys=True),
    log:
        "build/logs/{name}.log",
    # The notebook that measures times runs alone.
    threads: lambda wildcards: workflow.cores if wildcards.name == "code_generation" else 1
    message:
        "Executing the notebook {wildcards.name}"
    shell:
        EXECUTE


# A page for each firing pattern.
rule pattern:
    input:
        notebook=f"notebooks/{PATTERN_NOTEBOOK}.ipynb",
        **COMMON,
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
        EXECUTE
