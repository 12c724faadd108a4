# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

# Modules are kept in a content-addressed cache; the record lists their keys.

rule modules:
    input:
        models=sorted(Path("models").glob("*.nestml")),
        generator=sorted(
            path
            for folder in ("packages/nestml-optimised/src", "src/amat/toolchain")
            for path in Path(folder).rglob("*")
            if path.suffix in {".py", ".jinja2", ".h", ".txt"}
        ),
        library=imports("src/amat/toolchain/__init__.py"),
        lock="containers/requirements.lock",
    output:
        "results/modules.json",
    log:
        "build/logs/modules.log",
    threads: 2
    message:
        "Compiling models for NEST"
    shell:
        "amat build --record {output} > {log} 2>&1"


# Models that only the notebook on code generation needs. They are compiled early, so that it does not run alone at the
# end.
rule ablation_modules:
    input:
        "results/modules.json",
    output:
        "results/ablation_modules.json",
    log:
        "build/logs/ablation_modules.log",
    priority: 1
    message:
        "Compiling AMAT with NESTML's generator and with one optimisation after the other"
    shell:
        f"amat build {' '.join([AMAT_UNMODIFIED, *(model.name for model in ABLATION)])} --record {{output}} > {{log}} 2>&1"


# The generated code, for readers of the book.
rule generated_code:
    input:
        "results/modules.json",
    output:
        expand("book/generated/{file}", file=GENERATED_CODE),
    log:
        "build/logs/generated_code.log",
    message:
        "Copying the generated code for the book"
    shell:
        "python scripts/copy_generated_code.py {output} > {log} 2>&1"
