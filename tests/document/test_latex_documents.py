"""Articles and slides: what is in them, and what pdflatex says of them where there is one."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from functools import cache
from itertools import product
from pathlib import Path

import pytest

import symbackprop as sb
from examples import networks
from symbackprop.document.beamer import beamer
from symbackprop.document.latex import article
from symbackprop.document.latex_text import LANGUAGES, Text, escaped
from symbackprop.document.make import document
from symbackprop.document.records import Algorithm, CodeLine, Document, Formula, Formulas, Paragraph, Section, Table
from symbackprop.language.tensor import BATCH, Dim, Tensor
from symbackprop.present.latex_lines import broken, whole
from symbackprop.present.latex_measure import measure
from symbackprop.present.latex_printer import BREAK, SOFT, LatexPrinter
from symbackprop.present.matrix import form
from symbackprop.present.notation import PROFILES, Notation
from symbackprop.present.tree import ONE, Add, Leaf, Node, Scale, Size
from symbackprop.present.view import PLAIN, View
from symbackprop.records import Derivation
from tests.document.printed import derivation as of_gallery
from tests.document.printed import gallery
from tests.present.networks import NETWORKS
from tests.present.test_latex import check_balance

WRITERS = {"article": article, "slides": beamer}
OURS = {"convolutional": networks.convolutional, "words": networks.words, **NETWORKS}
NAMES = (*OURS, *gallery().GALLERY)
CASES = tuple(product(NAMES, PROFILES, LANGUAGES, WRITERS))
CHOSEN = tuple(random.Random(4).sample([case for case in CASES if case[0] != "20 layers"], 14))
"""Part of all cases, among them every profile and language."""


@cache
def derived(name: str) -> Derivation:
    return OURS[name].derive(sb.Adam()) if name in OURS else of_gallery(name)


def written(case: tuple[str, str, str, str], level: str = "steps", shapes: bool = False) -> str:
    name, profile, language, writer = case
    notation = Notation(profile, shapes=shapes)
    return WRITERS[writer](document(derived(name), notation, level, language))


def test_the_chosen_cases_have_everything_once() -> None:
    for part, known in ((1, PROFILES), (2, LANGUAGES), (3, WRITERS)):
        assert {case[part] for case in CHOSEN} == set(known)


@pytest.mark.parametrize("case", CHOSEN, ids="-".join)
def test_everything_is_balanced(case: tuple[str, str, str, str]) -> None:
    source = written(case)
    check_balance(source)
    assert BREAK not in source
    assert SOFT not in source
    tags = re.findall(r"\\tag\{([^}]*)\}", source)
    assert len(tags) == len(set(tags))
    assert set(re.findall(r"\\eqref\{eq:([^}]*)\}", source)) <= set(tags)


def tiny(*blocks: object, language: str = "en") -> Document:
    return Document("Title & more", language, (Section("forward", "50% of it", blocks),))  # type: ignore[arg-type]


X, W = Leaf(Tensor("x", (BATCH, Dim("d", 3)))), Leaf(Tensor("W_1", (Dim("d", 3), Dim("k", 2))))


def test_words_are_escaped() -> None:
    assert escaped('a_1 & 50% {of} "x" #2 ~ \\ σ') == (
        r"a\_1 \& 50\% \{of\} \textquotedbl{}x\textquotedbl{} \#2 \textasciitilde{} \textbackslash{} $\sigma$"
    )
    source = article(tiny(Paragraph(("100% of ", X, " & more"))))
    assert r"100\% of $x$ \& more" in source
    assert r"\section{50\% of it}" in source
    assert r"Title \& more" in source


def test_equal_remarks_are_said_once() -> None:
    remark = ("rows sum to 1",)
    lines = (Formula("1", X, W, remarks=(remark,)), Formula("2", W, X, remarks=(remark,)), Formula("3", W, X))
    source = article(tiny(Formulas(lines)))
    assert source.count("rows sum to 1") == 1
    assert "(1), (2): rows sum to 1" in source
    assert source.count(r"\tag{") == 3


def test_wide_tables_are_parted_with_their_first_column() -> None:
    sentence = ("Unbreakablewordofalength" * 2,)
    block = Table(tuple((f"title {n}",) for n in range(6)), ((("1",), *[sentence] * 5),))
    source = article(tiny(block))
    assert source.count(r"\begin{tabular}") > 1
    assert source.count("title 0") == source.count(r"\begin{tabular}")
    for number in range(1, 6):
        assert source.count(f"title {number}") == 1


def test_long_tables_go_over_pages_and_frames() -> None:
    block = Table((("a",), ("b",)), tuple(((str(n),), ("x",)) for n in range(80)))
    assert r"\begin{longtable}" in article(tiny(block))
    slides = beamer(tiny(block))
    assert "longtable" not in slides
    assert slides.count(r"\begin{frame}") == slides.count(r"\begin{tabular}") + 1
    assert slides.count(r"\begin{tabular}") > 3
    assert [int(n) for n in re.findall(r"^(\d+) & x", slides, re.MULTILINE)] == list(range(80))


def test_pseudo_code_refers_to_printed_equations_only() -> None:
    lines = (CodeLine(0, ("repeat",)), CodeLine(1, (X, " := ", W), "1"), CodeLine(1, (W,), "9"))
    source = article(tiny(Formulas((Formula("1", X, W),)), Algorithm(lines)))
    assert source.count(r"\eqref{eq:1}") == 1
    assert "eq:9" not in source
    assert "(9)" in source


def test_shapes_stand_below_the_factors() -> None:
    made = derived("digits")
    eq = made.forward[0]
    shown = {
        profile: whole(LatexPrinter(view).show(form(eq, view=view).rhs))
        for profile in ("rows", "columns", "keras")
        for view in [View(Notation(profile, shapes=True), made)]
    }
    under = r"\underset{{\scriptscriptstyle {}}}{{{}}}".format
    gap = r"\, "  # or 4 x 3 beside 3 x n reads as 4 x 33 x n
    assert shown["rows"] == " + ".join(
        (under(r"N\times 64", "x") + gap + under(r"64\times 32", r"W_{1}^{\top}"),
         under(r"N\times 1", r"\mathbf{1}") + gap + under(r"1\times 32", r"b_{1}^{\top}"))
    )  # fmt: skip
    assert shown["columns"].startswith(gap.join((under(r"32\times 64", "w^{1}"), under(r"64\times n", "x"))))
    assert shown["keras"].endswith(under("32", "b_{1}"))


def test_long_sums_leave_their_fraction() -> None:
    long = Add(tuple((1, Leaf(Tensor(f"{name}_long"))) for name in "abcdefghijklmn"))
    node: Node = Scale((long,), (Leaf(Tensor("s")),))
    closed, opened = (LatexPrinter(PLAIN, opened=o).show(node) for o in (False, True))
    assert BREAK not in closed
    assert opened.startswith(r"\frac{1}{s} (")
    rows = broken("L", opened, 200)
    assert len(rows) > 1
    assert all(measure(row).width <= 201 for row in rows)


def test_only_fractions_that_can_be_broken_are_opened() -> None:
    a, b = (Leaf(Tensor(name)) for name in "ab")
    short = LatexPrinter(PLAIN, inline=True).show(Scale((ONE,), (Size(BATCH),), Add(((1, a), (1, b)))))
    long = LatexPrinter(PLAIN, inline=True).show(Scale((a,), (Add(((1, a), (1, b))),)))
    assert whole(short) == r"\frac{1}{N} (a + b)"
    assert whole(long) == "a / (a + b)"


def test_words_stand_apart_from_their_neighbors() -> None:
    names = (Tensor("running_mean"), Tensor("b"), Tensor("c"))
    factors = tuple(Leaf(t) for t in names)
    assert whole(LatexPrinter(PLAIN).show(Scale(factors))) == r"\mathit{running\_mean}\, b c"
    assert whole(LatexPrinter(PLAIN).show(Scale(factors[1:], (), factors[0]))) == r"b c\, \mathit{running\_mean}"


def test_a_derivative_does_not_stand_in_a_fraction() -> None:
    made = written(("batch_norm", "columns", "en", "article"), "every-index")
    assert not re.search(r"\\frac\{\\frac\{\\partial", made)
    assert r"\frac{1}{2 s_{j}^{2}} \frac{\partial C}{\partial s_{j}^{2}}" in made


def test_a_bold_gradient_that_is_transposed_has_one_superscript() -> None:
    notation = Notation("ng", fonts="bold", layout="numerator")
    made = article(document(derived("logistic"), notation, "every-index", "en"))
    assert r"d\mathbf{Z}^{[1]\top}" in made
    assert not re.search(r"\^\{\[1\]\}\^", made)


def test_what_leads_to_something_does_not_end_a_page() -> None:
    made = written(("xor", "rows", "en", "article"))
    (opening,) = (line for line in made.splitlines() if "chain rule is applied" in line)
    after = made[made.index(opening) + len(opening) :]
    assert after.lstrip().startswith(r"\par\nopagebreak")
    (pass_back,) = (line for line in made.splitlines() if "backward pass:" in line)
    assert pass_back.endswith(r"\nopagebreak")


@pytest.mark.parametrize("name", ["deep_mlp", "convolution", "batch_norm"])
def test_no_slide_ends_with_what_leads_to_the_next(name: str) -> None:
    frames = re.findall(r"\\begin\{frame\}\[t\].*?\\end\{frame\}", written((name, "ng", "en", "slides")), re.DOTALL)
    assert len(frames) > 10
    for frame in frames:
        *_, last = (line for line in frame.splitlines()[:-1] if not line.startswith(r"\nopagebreak\smallskip"))
        assert not re.match(r"\\par [^$]|.*:\\strut\}", last) or "Values" in last


def test_symbols_and_dashes_stay_with_the_word_before() -> None:
    text = Text(PLAIN)
    batch: Node = Size(BATCH)
    assert text.sentence(("объекты батча — их ", batch, ".")) == "объекты батча~— их~$N$."
    assert text.sentence(("для ", batch, " объектов")) == "для $N$ объектов"


def test_products_break_with_a_dot() -> None:
    rows = broken("y", SOFT.join([r"\mathit{something} "] * 12), 200)
    assert len(rows) > 1
    assert all(row.startswith(r"&\quad {}\cdot ") for row in rows[1:])


@pytest.fixture(scope="module")
def pdflatex() -> str:
    found = shutil.which("pdflatex")
    if found is None:
        pytest.skip("no pdflatex; the balance of what it would read is tested in any case")
    return found


def compiled(source: str, folder: Path, runs: int = 2) -> str:
    """The log of the last run."""
    (folder / "made.tex").write_text(source, encoding="utf-8")
    flags = ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape")
    for _ in range(runs):
        done = subprocess.run(["pdflatex", *flags, "made.tex"], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return (folder / "made.log").read_text(encoding="latin-1")


def check(source: str, folder: Path) -> None:
    log = compiled(source, folder)
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", log)]
    assert not [points for points in wide if points > 2], wide
    assert not re.findall(r"Overfull \\vbox.*", log)
    assert "Missing character" not in log
    assert not [line for line in log.splitlines() if "undefined" in line.lower()]
    if shutil.which("pdffonts"):
        fonts = subprocess.run(["pdffonts", "made.pdf"], cwd=folder, capture_output=True, text=True, check=True).stdout
        assert "Type 3" not in fonts


@pytest.mark.slow
@pytest.mark.parametrize("case", CHOSEN, ids="-".join)
def test_documents_compile(case: tuple[str, str, str, str], pdflatex: str, tmp_path: Path) -> None:
    check(written(case), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "writer"), [("pl", "article"), ("ru", "slides")])
def test_shapes_and_every_index_compile(language: str, writer: str, pdflatex: str, tmp_path: Path) -> None:
    check(written(("deep", "ng", language, writer), "every-index", shapes=True), tmp_path)


@pytest.mark.full
@pytest.mark.parametrize("case", [case for case in CASES if case not in CHOSEN], ids="-".join)
def test_all_documents_compile(case: tuple[str, str, str, str], pdflatex: str, tmp_path: Path) -> None:
    check(written(case), tmp_path)


@pytest.mark.slow
def test_formulas_are_no_wider_than_measured(pdflatex: str, tmp_path: Path) -> None:
    """TeX's own boxes against the estimate: never wider by more than a point, and at most a fifth narrower."""
    formulas = sorted(
        {
            whole(printer.show(form(view.shown(eq), view=view).rhs))
            for name in ("convolutional", "words", "deep", "attention")
            for profile in PROFILES
            for view in [View(Notation(profile, shapes=profile == "ng"), derived(name))]
            for eq in (*derived(name).forward, *derived(name).adjoints, *derived(name).gradients)
            for printer in (LatexPrinter(view), LatexPrinter(view, inline=True))
        }
    )
    boxes = "\n".join(
        rf"\setbox0\hbox{{$\displaystyle {f}$}}\typeout{{BOX\the\wd0/\the\ht0/\the\dp0}}" for f in formulas
    )
    packages = r"\documentclass[11pt]{article}\usepackage{lmodern,amsmath,amssymb}"
    log = compiled(rf"{packages}\begin{{document}}{boxes}\end{{document}}", tmp_path, runs=1)
    found = [tuple(map(float, box)) for box in re.findall(r"BOX([\d.]+)pt/([\d.]+)pt/([\d.]+)pt", log)]
    assert len(found) == len(formulas)
    for formula, (width, height, depth) in zip(formulas, found, strict=True):
        extent = measure(formula)
        assert extent.width >= width - 1, formula
        assert extent.width <= 1.25 * width + 6, formula
        assert extent.height >= height - 6, formula
        assert extent.depth >= depth - 4, formula


def test_the_text_of_a_sentence_is_measured() -> None:
    text = Text(PLAIN)
    assert text.width(("words",)) < text.width(("more words",)) < text.width(("more words ", X))
    assert text.height(("word " * 60,), 100) > 5 * text.height(("word",), 100)
