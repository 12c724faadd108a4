"""The site as it was built: complete, linked, and without a request to anyone else."""

import copy
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from amat import paths
from amat.parameters import izhikevich_patterns

pytestmark = pytest.mark.slow

#: Tags and attributes by which a page makes the browser load something.
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
    """Return a page's own content, without the theme around it."""
    content = page.find("article") or page.find("main")
    assert isinstance(content, Tag)
    return content


def is_external(address: str) -> bool:
    return bool(urlsplit(address).netloc)


def is_local(address: str) -> bool:
    parts = urlsplit(address)
    return not parts.scheme and not parts.netloc


def target_of(address: str, page: Path) -> Path:
    """Return the file that a local address on a page names."""
    path = unquote(urlsplit(address).path)
    return (page.parent / path).resolve() if path else page


def stylesheets(built_book: Path) -> list[Path]:
    return sorted((built_book / "_static").rglob("*.css"))


def test_site_has_its_pages(built_book):
    for name in ("index", "getting_started", "model", "validation", "references", "search"):
        assert (built_book / f"{name}.html").is_file(), name
    for notebook in {path.stem for path in paths.NOTEBOOKS.glob("*.ipynb")} - {"firing_pattern"}:
        assert (built_book / "notebooks" / f"{notebook}.html").is_file(), notebook
    for pattern in izhikevich_patterns():
        page = built_book / "notebooks" / "patterns" / f"{pattern}.html"
        assert BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").h1.text.startswith(
            pattern.replace("_", " ").capitalize()
        )


def test_links_lead_somewhere(pages):
    """Every internal link and source is a file of the site, and every anchor exists."""
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


def test_pages_load_nothing_from_elsewhere(pages):
    external = [
        f"{path.name}: <{tag.name} {attribute}={tag[attribute]}>"
        for path, page in pages.items()
        for name, attribute in LOADS.items()
        for tag in page.find_all(name, attrs={attribute: True})
        if is_external(tag[attribute])
    ]
    assert not external
    assert not [path.name for path, page in pages.items() if page.find_all(srcset=re.compile("//"))]


def test_pages_name_no_other_host_in_their_scripts(pages):
    """A script in the page could load what no tag names."""
    for path, page in pages.items():
        for script in page.find_all("script", src=False):
            assert not re.search(r"https?://", script.get_text()), f"{path.name}: {script.get_text()[:200]}"


def test_styles_load_nothing_from_elsewhere(built_book, pages):
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
    assert built_book / "model.html" in with_maths
    for path, page in with_maths.items():
        scripts = [tag["src"] for tag in page.find_all("script", src=re.compile("mathjax", re.IGNORECASE))]
        assert len(scripts) == 1, f"{path.name}: {scripts}"
        target = target_of(scripts[0], path)
        assert target.is_file()
        assert target.is_relative_to(built_book)
        assert list((target.parent / "output" / "chtml" / "fonts" / "woff-v2").glob("*.woff"))


def test_every_equation_can_be_referred_to(built_book, pages):
    equations = pages[built_book / "model.html"].select("div.math")
    assert equations
    for equation in equations:
        assert str(equation.get("id", "")).startswith("equation-eq-")


def test_notebooks_show_figures_that_exist_and_are_described(notebook_pages):
    for path, page in notebook_pages.items():
        figures = article(page).select("div.cell_output img")
        assert figures, path.name
        for figure in figures:
            assert target_of(str(figure["src"]), path).is_file(), f"{path.name}: {figure['src']}"
            description = str(figure.get("alt", ""))
            # Without one, the figure's file name would be taken.
            assert len(description.split()) > 3, f"{path.name}: {figure['src']} has no alt text"


def test_notebooks_ran_without_an_error(notebook_pages):
    for path, page in notebook_pages.items():
        assert not article(page).select("div.output.traceback, div.output.stderr"), path.name
        # Messages of NEST tell the time of the run.
        assert not re.search(r"\[(INFO|WARNING|ERROR)\]", article(page).get_text()), path.name


def test_every_image_is_described(pages):
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
    glued = article(pages[built_book / "validation.html"]).select("span.pasted-text")
    assert len(glued) > 5
    assert all(number.get_text().strip() for number in glued)


def test_pages_describe_themselves(pages):
    for path, page in pages.items():
        if path.name == "search.html":
            continue
        description = page.find("meta", attrs={"name": "description"})
        assert isinstance(description, Tag), path.name
        assert "AMAT" in str(description["content"]), path.name


def test_model_and_generated_code_can_be_downloaded(built_book, pages):
    model = built_book / "model.html"
    offered = [target_of(str(link["href"]), model) for link in article(pages[model]).select("a.download")]
    assert {path.name for path in offered} == {f"{MODEL}.nestml", f"{MODEL}_nestml.cpp", f"{MODEL}_nestml.h"}
    for path in offered:
        assert path.stat().st_size


def test_generated_update_is_shown(built_book, pages):
    shown = article(pages[built_book / "model.html"]).select("div.highlight-cpp")
    assert len(shown) == 1
    assert "start rendered code for ``integrate_odes()``" in shown[0].get_text()
    assert "__P__V_th_v__V_m" in shown[0].get_text()


def test_pages_tell_nothing_of_the_machine(pages):
    for path, page in pages.items():
        text = page.decode()
        for folder in (str(paths.ROOT), str(Path.home())):
            assert f"{folder}/" not in text, f"{path.name}: {folder}"
