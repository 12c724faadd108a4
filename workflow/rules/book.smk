# Figures that pages, besides the notebooks, show.
rule figure:
    input:
        "results/model",
    output:
        "book/generated/overview.svg",
    message:
        "Copying figures for the book"
    shell:
        "cp {input}/overview.svg {output}"


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
        generated=rules.generated_code.output,
        figure=rules.figure.output,
    output:
        "_build/html/index.html",
    log:
        "build/logs/book.log",
    message:
        "Building the book"
    shell:
        "amat book > {log} 2>&1"
