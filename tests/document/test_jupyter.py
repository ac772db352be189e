"""What notebooks show of networks, derivations, documents and steps."""

from __future__ import annotations

import subprocess
import sys

import symbackprop as sb
from symbackprop.document.records import Derived
from tests.document.pages import Page, formulas, made
from tests.document.printed import derivation, gallery


def test_a_network_shows_its_forward_pass() -> None:
    network = gallery().xor
    found = Page(network._repr_html_())
    assert len(found.all("span", class_="left")) == 5
    assert [text for _, text in found.all("h2")] == ["Forward pass", "Loss function"]
    assert network._repr_latex_().count("&=") == 5
    assert "W_{1}^{\\top}" in network._repr_latex_()


def test_a_derivation_shows_its_equations() -> None:
    made = derivation("xor")
    found = Page(made._repr_html_())
    numbers = [text for _, text in found.all("span", class_="number")]
    assert numbers == [f"({n})" for n in range(1, 13)]


def test_a_fragment_is_small_and_has_no_ids_and_scripts() -> None:
    for text in (derivation("deep_mlp")._repr_html_(), made("xor")._repr_html_()):
        found = Page(text)
        assert text.startswith('<div class="symbackprop" lang="en">')
        assert len(text) < 80_000
        assert "font-face" not in text and not found.all("script")
        assert not any("id" in attrs for attrs, _ in found.all())
        assert not found.all("a")


def test_steps_show_themselves() -> None:
    document = made("xor")
    line = formulas(document)[0]
    assert line._repr_latex_().startswith("$$\\begin{aligned}\nz_{1} &= x W_{1}^{\\top}")
    (first, *_) = [b for s in document.sections for b in s.blocks if isinstance(b, Derived)]
    assert first._repr_latex_().count("&=") == len(first.lines)


def test_a_network_is_printed_without_sympy() -> None:
    lines = ("import sys, symbackprop as sb", "repr(sb.Network([sb.Input(2), sb.Dense(1)], 'mse'))")
    code = "\n".join((*lines, "print('sympy' in sys.modules)"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert sb.Network._repr_html_.__module__ == "symbackprop.declare.network"
