# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The built site: complete, with working links and without requests to other hosts."""

import copy
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from amat import paths
from amat.neurons import izhikevich_patterns

pytestmark = pytest.mark.slow

#: Tags and attributes that make a browser load a file.
LOADS = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "input": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "track": "src",
    "video": "src",
}
MODEL = "amat2_psc_exp_neuron"


@pytest.fixture(scope="module")
def pages(built_book: Path) -> dict[Path, BeautifulSoup]:
    """Every page of the site, parsed."""
    files = sorted(path for path in built_book.rglob("*.html") if "_static" not in path.parts)
    assert files
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in files}


@pytest.fixture(scope="module")
def notebook_pages(pages: dict[Path, BeautifulSoup]) -> dict[Path, BeautifulSoup]:
    """The pages of executed notebooks."""
    found = {path: page for path, page in pages.items() if "notebooks" in path.parts}
    assert found
    return found


def article(page: BeautifulSoup) -> Tag:
    """Return the content of a page without the theme."""
    content = page.find("article") or page.find("main")
    assert isinstance(content, Tag)
    return content


def is_external(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def is_local(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc


def target_of(address: str, page: Path) -> Path:
    """Return the file of a local address on a page."""
    path = unquote(urlsplit(address).path)
    return (page.parent / path).resolve() if path else page


def stylesheets(built_book: Path) -> list[Path]:
    return sorted((built_book / "_static").rglob("*.css"))


def test_site_has_its_pages(built_book):
    for name in (
        "index",
        "getting_started",
        "glossary",
        "data",
        "speed",
        "status",
        "archive",
        "growth",
        "references",
        "search",
    ):
        assert (built_book / f"{name}.html").is_file(), name
    for notebook in {path.stem for path in paths.NOTEBOOKS.glob("*.ipynb")} - {"firing_pattern"}:
        assert (built_book / "notebooks" / f"{notebook}.html").is_file(), notebook
    for pattern in izhikevich_patterns():
        page = built_book / "notebooks" / "patterns" / f"{pattern}.html"
        assert BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").h1.text.startswith(
            pattern.replace("_", " ").capitalize()
        )


def test_links_have_targets(pages):
    """The file of every internal link and source exists, and so does every anchor."""
    anchors = {path: {tag["id"] for tag in page.find_all(id=True)} for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for tag in page.find_all(True):
            for attribute in ("href", "src"):
                address = tag.get(attribute)
                if not isinstance(address, str) or not is_local(address):
                    continue
                target, fragment = target_of(address, path), unquote(urlsplit(address).fragment)
                if not target.is_file() or (fragment and fragment not in anchors.get(target, ())):
                    broken.append(f"{path.name}: {address}")
    assert not broken


def test_pages_load_nothing_from_other_hosts(pages):
    external = [
        f"{path.name}: <{tag.name} {attribute}={tag[attribute]}>"
        for path, page in pages.items()
        for name, attribute in LOADS.items()
        for tag in page.find_all(name, attrs={attribute: True})
        if is_external(tag[attribute])
    ]
    assert not external
    assert not [path.name for path, page in pages.items() if page.find_all(srcset=re.compile("//"))]


def test_inline_scripts_name_no_other_host(pages):
    """A script could load files without a tag."""
    for path, page in pages.items():
        for script in page.find_all("script", src=False):
            assert not re.search(r"https?://", script.get_text()), f"{path.name}: {script.get_text()[:200]}"


def test_styles_load_nothing_from_other_hosts(built_book, pages):
    texts = {path: path.read_text(encoding="utf-8") for path in stylesheets(built_book)}
    assert texts
    texts |= {path: "\n".join(tag.get_text() for tag in page.find_all("style")) for path, page in pages.items()}
    for path, text in texts.items():
        assert not re.search(r"""(?:url\(|@import)\s*['"]?\s*(?:https?:)?//""", text), path.name


def test_fonts_of_the_styles_exist(built_book):
    linked = 0
    for path in stylesheets(built_book):
        for address in re.findall(
            r"""url\(\s*['"]?([^'")]+\.(?:woff2?|ttf|otf)[^'")]*)""", path.read_text(encoding="utf-8")
        ):
            assert target_of(address, path).is_file(), f"{path.name}: {address}"
            linked += 1
    assert linked


def test_maths_is_rendered_by_the_vendored_mathjax(built_book, pages):
    with_maths = {path: page for path, page in pages.items() if page.select("div.math, span.math")}
    assert built_book / "notebooks" / "model.html" in with_maths
    for path, page in with_maths.items():
        scripts = [tag["src"] for tag in page.find_all("script", src=re.compile("mathjax", re.IGNORECASE))]
        assert len(scripts) == 1, f"{path.name}: {scripts}"
        target = target_of(scripts[0], path)
        assert target.is_file()
        assert target.is_relative_to(built_book)
        assert list((target.parent / "output" / "chtml" / "fonts" / "woff-v2").glob("*.woff"))


def test_every_equation_has_an_anchor(built_book, pages):
    equations = pages[built_book / "notebooks" / "model.html"].select("div.math")
    assert equations
    for equation in equations:
        assert str(equation.get("id", "")).startswith("equation-eq-")


def test_notebook_pages_show_tables_or_figures_with_descriptions(notebook_pages):
    for path, page in notebook_pages.items():
        figures = article(page).select("div.cell_output img")
        assert figures or article(page).select("div.cell_output table"), path.name
        for figure in figures:
            assert target_of(str(figure["src"]), path).is_file(), f"{path.name}: {figure['src']}"
            description = str(figure.get("alt", ""))
            # Without a description, Sphinx would use the file name.
            assert len(description.split()) > 3, f"{path.name}: {figure['src']} has no alt text"


def test_notebook_pages_show_no_errors(notebook_pages):
    for path, page in notebook_pages.items():
        assert not article(page).select("div.output.traceback, div.output.stderr"), path.name
        # Messages of NEST contain the time of the run.
        assert not re.search(r"\[(INFO|WARNING|ERROR)\]", article(page).get_text()), path.name


def test_every_image_has_a_description(pages):
    for path, page in pages.items():
        for image in article(page).find_all("img"):
            assert str(image.get("alt", "")).strip(), f"{path.name}: {image['src']}"


def test_no_markup_is_left_as_text(pages):
    for path, page in pages.items():
        content = copy.copy(article(page))
        for code in content.find_all(["pre", "code", "script"]):
            code.extract()
        assert not re.search(r"\{[a-z:]+\}`|^:::", content.get_text(), flags=re.MULTILINE), path.name


def test_numbers_are_glued_from_runs(built_book, pages):
    glued = article(pages[built_book / "notebooks" / "validation.html"]).select("span.pasted-text")
    assert len(glued) > 5
    assert all(number.get_text().strip() for number in glued)


def test_pages_have_unique_titles_and_descriptions(pages):
    """Each page has one description, which names the neuron."""
    descriptions, titles = {}, {}
    for path, page in pages.items():
        found = page.find_all("meta", attrs={"name": "description"})
        assert len(found) == 1, path.name
        descriptions[path] = str(found[0]["content"])
        assert "AMAT" in descriptions[path], path.name
        assert 40 <= len(descriptions[path]) <= 300, f"{path.name}: {descriptions[path]}"
        assert not re.search(r"[\\{}]|\s{2}", descriptions[path]), f"{path.name}: {descriptions[path]}"
        assert page.title is not None
        titles[path] = page.title.get_text()
        assert titles[path].endswith("AMAT in NESTML"), path.name
    assert len(set(descriptions.values())) == len(pages)
    assert len(set(titles.values())) == len(pages)


def test_identifiers_are_unique_on_each_page(pages):
    for path, page in pages.items():
        identifiers = [str(tag["id"]) for tag in page.find_all(id=True)]
        twice = {name for name in identifiers if identifiers.count(name) > 1}
        assert not twice, f"{path.name}: {twice}"


def test_notebook_pages_offer_their_files_for_download(notebook_pages, reproduced):
    """The files are the executed notebook, its source, its tables and its provenance, unchanged."""
    for path, page in notebook_pages.items():
        name = path.relative_to(reproduced / "_build" / "html" / "notebooks").with_suffix("").as_posix()
        results = reproduced / "results" / name
        source = json.loads((results / "provenance.json").read_text())["notebook"]
        wanted = [reproduced / "book" / "notebooks" / f"{name}.ipynb", paths.NOTEBOOKS / source]
        wanted += [results / "provenance.json", *results.glob("*.csv"), *results.glob("*.csv.gz")]
        section = page.select_one("section#downloads")
        assert section is not None, path.name
        offered = {target_of(str(link["href"]), path).read_bytes() for link in section.select("a.download")}
        assert offered == {file.read_bytes() for file in wanted}, path.name


def test_data_can_be_downloaded(built_book, pages, root):
    page = built_book / "data.html"
    offered = {target_of(str(link["href"]), page).read_bytes() for link in article(pages[page]).select("a.download")}
    data = [file for file in (root / "data").rglob("*") if file.name.endswith((".csv", ".csv.gz", ".yaml"))]
    assert offered == {file.read_bytes() for file in data}


def test_status_page_lists_every_notebook(built_book, pages, notebook_pages, reproduced):
    """Every notebook has a row with its commit, its run time and no errors."""
    page = built_book / "status.html"
    rows = {}
    for row in article(pages[page]).select("table")[0].select("tbody tr"):
        link, *values = row.select("td")
        assert link.a is not None
        rows[target_of(str(link.a["href"]), page)] = [value.get_text(strip=True) for value in values]
    assert set(rows) == set(notebook_pages)
    for path, (cells, errors, started, seconds, commit) in rows.items():
        name = path.relative_to(built_book / "notebooks").with_suffix("").as_posix()
        record = json.loads((reproduced / "results" / name / "provenance.json").read_text())
        run = json.loads((reproduced / "results" / name / "run_time.json").read_text())
        ran, of = map(int, cells.split(" of "))
        assert ran == of > 1, name
        assert errors == "0", name
        assert started.replace(" ", "T") + "Z" == run["started"], name
        assert float(seconds) == run["seconds"] > 0, name
        assert commit.startswith(record["commit"][:10]), name


def test_run_times_are_on_the_status_page_only(built_book, pages, reproduced):
    """On other pages and in the search index they would make reproductions differ."""
    started = [json.loads(file.read_text())["started"] for file in (reproduced / "results").rglob("run_time.json")]
    assert started
    texts = {path.name: page.get_text() for path, page in pages.items() if path.name != "status.html"}
    texts["searchindex.js"] = (built_book / "searchindex.js").read_text()
    for name, text in texts.items():
        for moment in started:
            assert moment not in text, name
            assert moment.replace("T", " ").removesuffix("Z") not in text, name


def test_terms_lead_to_the_glossary(built_book, pages):
    """Terms are defined once, in alphabetical order, and several pages link to them."""
    glossary = built_book / "glossary.html"
    terms = [term.get_text().rstrip("#") for term in article(pages[glossary]).select("dl.glossary dt")]
    assert len(terms) == len(set(terms)) > 30
    assert [term.lower() for term in terms] == sorted(term.lower() for term in terms)
    leading = {
        path.name
        for path, page in pages.items()
        for link in article(page).select('a[href*="#term-"]')
        if target_of(str(link["href"]), path) == glossary
    }
    assert len(leading - {"glossary.html"}) > 5


def test_page_for_missing_addresses_is_self_contained(built_book, pages):
    """A server may show it at any depth, so it needs no other file."""
    page = pages[built_book / "404.html"]
    assert not page.find_all(["link", "img"])
    assert not page.find_all("script", src=True)
    assert {str(link["href"]) for link in page.find_all("a")} == {"index.html", "search.html"}


def test_icon_of_the_site_exists(built_book, pages):
    icon = pages[built_book / "index.html"].find("link", rel="icon")
    assert isinstance(icon, Tag)
    assert target_of(str(icon["href"]), built_book / "index.html").is_file()


def test_model_and_generated_code_can_be_downloaded(built_book, pages):
    model = built_book / "notebooks" / "model.html"
    links = article(pages[model]).select("section:not(#downloads) > p a.download")
    offered = [target_of(str(link["href"]), model) for link in links]
    expected = {f"{MODEL}.nestml", f"{MODEL}_nestml.cpp", f"{MODEL}_nestml.h", "amat2_psc_exp_escape_neuron.nestml"}
    assert {path.name for path in offered} == expected
    for path in offered:
        assert path.stat().st_size


def test_generated_update_is_shown(built_book, pages):
    shown = article(pages[built_book / "notebooks" / "model.html"]).select("div.highlight-cpp")
    assert len(shown) == 1
    assert "start rendered code for ``integrate_odes()``" in shown[0].get_text()
    assert "__P__V_th_v__V_m" in shown[0].get_text()


def test_pages_contain_no_path_of_the_machine(pages):
    for path, page in pages.items():
        text = page.decode()
        for folder in (str(paths.ROOT), str(Path.home())):
            assert f"{folder}/" not in text, f"{path.name}: {folder}"
