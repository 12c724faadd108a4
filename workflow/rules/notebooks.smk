# Each notebook answers one question: its parameters go in, the executed notebook and its results come out.

rule notebook:
    input:
        notebook="notebooks/{name}.ipynb",
        modules="results/modules.json",
        library=sorted(path for folder in ("", "benchmark") for path in Path("src/amat", folder).glob("*.py")),
        data=sorted(path for path in Path("data").iterdir() if path.suffix in {".csv", ".yaml"}),
    output:
        executed="book/notebooks/{name}.ipynb",
        results=directory("results/{name}"),
    params:
        parameters=lambda wildcards: json.dumps(config["notebooks"][wildcards.name], sort_keys=True),
    log:
        "build/logs/{name}.log",
    # The notebook that measures times runs alone.
    threads: lambda wildcards: workflow.cores if wildcards.name == "code_generation" else 1
    message:
        "Executing the notebook {wildcards.name}"
    shell:
        "python scripts/execute_notebook.py {input.notebook} {output.executed} {output.results} "
        "--modules {input.modules} --parameters {params.parameters:q} > {log} 2>&1"
