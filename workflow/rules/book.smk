# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

# Figures that pages other than notebooks show, with the notebooks that draw them.
FIGURES = {"overview": "model", "overview_narrow": "model", "first": "model", "ratios": "benchmarks", "growth": "benchmarks"}


rule figures:
    input:
        [f"results/{notebook}" for notebook in FIGURES.values()],
    output:
        [f"book/generated/{name}.svg" for name in FIGURES],
    message:
        "Copying figures for the book"
    shell:
        " && ".join(f"cp results/{notebook}/{name}.svg book/generated/" for name, notebook in FIGURES.items())


# The models and firing patterns in JavaScript, for the explorer.
rule explorer:
    input:
        script="scripts/write_explorer.py",
        library=imports("scripts/write_explorer.py"),
        models=[f"models/{name}.nestml" for name in ("amat2_psc_exp_neuron", "izhikevich_2004_neuron")],
        data=PUBLISHED_DATA,
        lock="containers/requirements.lock",
    output:
        "book/generated/static/explorer/models.js",
    log:
        "build/logs/explorer.log",
    message:
        "Translating the models for the explorer"
    shell:
        "python {input.script} {output} > {log} 2>&1"


rule book:
    input:
        "_config.yml",
        sources=sorted(
            path
            for path in Path("book").rglob("*")
            if path.is_file() and not {"notebooks", "generated", "__pycache__"} & set(path.parts)
        ),
        # Pages offer these for download.
        data=sorted(path for path in Path("data").rglob("*") if path.is_file()),
        notebooks=expand("book/notebooks/{name}.ipynb", name=NOTEBOOKS),
        patterns=expand("book/notebooks/patterns/{pattern}.ipynb", pattern=PATTERNS),
        # Pages offer the tables for download and show when each notebook ran.
        results=expand("results/{name}", name=NOTEBOOKS),
        results_of_patterns=expand("results/patterns/{pattern}", pattern=PATTERNS),
        generated=rules.generated_code.output,
        figures=rules.figures.output,
        explorer=rules.explorer.output,
    output:
        "_build/html/index.html",
    log:
        "build/logs/book.log",
    message:
        "Building the book"
    shell:
        "amat book > {log} 2>&1"
