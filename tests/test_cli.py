"""The command line: what it writes, and how it fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symbackprop import pdf
from symbackprop.cli import cli

GOOD = """
import symbackprop as sb

net = sb.Network([sb.Input(3), sb.Dense(4, "tanh"), sb.Dense(2)], loss="softmax_cross_entropy")
other = net
width = 4
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.py"
    path.write_text(GOOD)
    return path


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in args])


def failure(*args: object) -> str:
    """The message of a command that must fail cleanly: exit status 1, no traceback."""
    result = run(*args)
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.startswith("Error: ")
    assert "Traceback" not in result.output
    return result.stderr


def test_derive_prints_the_derivation(model: Path) -> None:
    result = run("derive", f"{model}:net")
    assert result.exit_code == 0, result.output
    assert all(name in result.stdout for name in ("δ2", "δ1", "W1", "b2"))


def test_derive_with_an_optimizer_has_its_update(model: Path) -> None:
    plain, adam = (run("derive", f"{model}:net", *more).stdout for more in ((), ("--optimizer", "adam")))
    assert adam != plain
    assert "beta1" in adam or "β1" in adam or "β₁" in adam


def test_derive_writes_text_and_latex(model: Path, tmp_path: Path) -> None:
    for suffix in (".txt", ".tex"):
        out = tmp_path / "new folder" / f"net{suffix}"
        result = run("derive", f"{model}:net", "-o", out)
        assert result.exit_code == 0, result.output
        assert str(out) in result.stdout
        assert out.stat().st_size > 100
    assert "\\begin{document}" in (tmp_path / "new folder" / "net.tex").read_text()


@pytest.mark.skipif(pdf.find_engine() is None, reason="no LaTeX engine on this machine")
def test_derive_writes_pdf(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.pdf"
    assert run("derive", f"{model}:net", "-o", out).exit_code == 0
    assert out.read_bytes().startswith(b"%PDF")


def test_derive_without_an_engine_says_how_to_get_one(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "find_engine", lambda: None)
    message = failure("derive", f"{model}:net", "-o", tmp_path / "net.pdf")
    assert "pdflatex" in message
    assert "apt-get install" in message


def test_derive_refuses_an_unknown_suffix(model: Path, tmp_path: Path) -> None:
    message = failure("derive", f"{model}:net", "-o", tmp_path / "net.docx")
    assert ".tex, .html, .md, .ipynb, .pdf" in message
    assert ".docx" in message
    assert not (tmp_path / "net.docx").exists()


def test_derive_writes_documents_as_asked(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "net.md"
    wishes = ("--notation", "columns", "--level", "summary", "--language", "pl", "--symbol", "W=Theta", "--bold")
    assert run("derive", f"{model}:net", "-o", out, *wishes).exit_code == 0
    text = out.read_text(encoding="utf-8")
    assert r"\boldsymbol{\Theta}^{1}" in text
    assert "Wyprowadzenie" in text
    slides = tmp_path / "slides.tex"
    assert run("derive", f"{model}:net", "-o", slides, "--slides", "--numerator", "--shapes").exit_code == 0
    assert "{beamer}" in slides.read_text(encoding="utf-8")
    for ending in ("html", "ipynb"):
        assert run("derive", f"{model}:net", "-o", tmp_path / f"net.{ending}").exit_code == 0
        assert (tmp_path / f"net.{ending}").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("wishes", "told"),
    [
        (("--notation", "colums"), "Did you mean 'columns'"),
        (("--level", "all"), "every-index"),
        (("--language", "de"), "en, pl, ru, sk"),
        (("--symbol", "Q=R"), "'Q', which is no tensor here"),
        (("--symbol", "W1=9"), "no name"),
        (("--symbol", "W1=U", "--symbol", "W2=U"), "one symbol to W2 and W1"),
    ],
)
def test_derive_tells_what_it_cannot_write(model: Path, tmp_path: Path, wishes: tuple[str, ...], told: str) -> None:
    out = tmp_path / "net.tex"
    assert told in failure("derive", f"{model}:net", "-o", out, *wishes)
    assert not out.exists()


def test_wishes_for_documents_are_not_dropped_in_plain_text(model: Path) -> None:
    result = run("derive", f"{model}:net", "--notation", "ng")
    assert result.exit_code == 2
    assert "-o net.html" in result.stderr
    assert run("derive", f"{model}:net", "-o", "net.html", "--symbol", "W").exit_code == 2


@pytest.mark.parametrize(("target", "suffix"), [("c", ".c"), ("numpy", ".py")])
def test_emit_writes_the_source(model: Path, tmp_path: Path, target: str, suffix: str) -> None:
    result = run("emit", f"{model}:net", "--target", target, "-o", tmp_path / "kernels")
    assert result.exit_code == 0, result.output
    written = (tmp_path / "kernels" / f"net{suffix}").read_text()
    assert written == run("emit", f"{model}:net", "--target", target).stdout
    assert written != run("emit", f"{model}:net", "--target", target, "--dtype", "float64").stdout


def test_an_unknown_optimizer_is_told_with_the_near_names(model: Path) -> None:
    assert "adam" in failure("derive", f"{model}:net", "--optimizer", "adm")
    assert "adam" in failure("emit", f"{model}:net", "--optimizer", "adm")


def test_net_of_a_wrong_form(model: Path) -> None:
    assert "file.py:name" in failure("derive", "model.py")
    assert f"Write {model}:net" in failure("derive", model)


def test_no_such_file(model: Path) -> None:
    message = failure("derive", f"{model.with_name('mdel.py')}:net")
    assert "there is no file" in message
    assert "Did you mean 'model.py'?" in message
    assert "there is no file" in failure("derive", "/no/such/folder/model.py:net")


def test_no_such_name(model: Path) -> None:
    assert "Did you mean 'other'?" in failure("derive", f"{model}:othr")


def test_not_a_network(model: Path) -> None:
    message = failure("derive", f"{model}:width")
    assert "int, not an sb.Network" in message
    assert "net, other" in message


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("x = 1\ny = 1/0\n", 2, "ZeroDivisionError: division by zero"),
        ("def f(:\n", 1, "SyntaxError: "),
        ("\nimport no_such_module_here\n", 2, "ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("def f():\n    raise SystemExit(3)\nf()\n", 2, "SystemExit: 3"),
        ("import symbackprop as sb\nsb.Network([sb.Input(3), sb.Dense(2, 'rlu')], loss='mse')\n", 2, "relu"),
    ],
)
def test_the_own_error_of_a_file_is_told_with_its_line(model: Path, text: str, line: int, told: str) -> None:
    model.write_text(text)
    message = failure("derive", f"{model}:net")
    assert f"{model}:{line}: " in message
    assert told in message


@pytest.mark.parametrize(
    ("body", "told"),
    [("return 1/0", "ZeroDivisionError"), ("return sb.layer(sb.tensor('a', (x.dim(0), 2)))", "DeclarationError")],
)
def test_an_error_of_a_layer_function_is_told_with_its_line(model: Path, body: str, told: str) -> None:
    model.write_text(
        f"import symbackprop as sb\ndef f(x):\n    {body}\nnet = sb.Network([sb.Input(3), f], loss='mse')\n"
    )
    message = failure("derive", f"{model}:net")
    assert f"{model}:3: {told}: " in message


def test_an_error_of_the_network_as_a_whole_is_told_plainly(model: Path) -> None:
    last = "sb.Dense(2, 'softmax')"
    model.write_text(GOOD.replace("sb.Dense(2)", last))
    assert "drop that activation" in failure("derive", f"{model}:net")


def test_a_file_imports_its_neighbors(model: Path) -> None:
    model.with_name("sizes_of_model.py").write_text("WIDTH = 5\n")
    model.write_text(GOOD.replace("import symbackprop", "from sizes_of_model import WIDTH\nimport symbackprop"))
    assert run("derive", f"{model}:net").exit_code == 0


def test_help_says_that_the_file_is_imported() -> None:
    for command in ("derive", "emit"):
        assert "IMPORTED" in run(command, "--help").stdout


def test_cache_shows_and_clears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMBACKPROP_CACHE_DIR", str(tmp_path / "cache"))
    assert run("cache", "--where").stdout.strip() == str(tmp_path / "cache")
    assert run("cache").exit_code == 0
    assert run("cache", "--clear").exit_code == 0
    assert run("cache", "--clear", "--where").exit_code == 2


def test_version() -> None:
    assert run("--version").stdout.startswith("symbackprop, version ")


def test_starts_fast_and_without_sympy() -> None:
    """`--version` in a process of its own; what a command needs is imported by that command."""
    code = (
        "import sys, symbackprop.cli as c\n"
        "heavy = {'sympy', 'jinja2', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules)\n"
        "sys.exit(f'imported too early: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        [sys.executable, "-m", "symbackprop", "--version"], capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("symbackprop, version ")
