"""The code beside an equation is the emitted program's."""

from __future__ import annotations

import pytest

import symbackprop as sb
from symbackprop.document.code import DTYPE, partners, program_of
from symbackprop.emit.c import emit_c
from symbackprop.emit.numpy import emit_numpy
from symbackprop.records import Derivation
from tests.document.pages import modes
from tests.document.printed import derivation

NAMES = ("xor", "deep_mlp", "batch_norm", "convolution", "half_square_norm", "adam", "modes")


def found(name: str) -> Derivation:
    return modes() if name == "modes" else derivation(name)


def numbers(made: Derivation) -> set[int]:
    equations = [*made.forward, made.objective, *made.adjoints, *made.gradients, *made.updates]
    equations += [*(made.inference or ()), *(made.update.equations if made.update else ())]
    return {eq.number for eq in equations}


@pytest.mark.parametrize("name", NAMES)
def test_every_equation_has_partners_out_of_the_emitted_text(name: str) -> None:
    made = found(name)
    code, program = partners(made), program_of(made)
    numpy, c = (emit(program, DTYPE).text for emit in (emit_numpy, emit_c))
    lines = {line.strip() for line in numpy.splitlines()}
    assert set(code) == numbers(made)
    for number, both in code.items():
        assert f"({number})" in both.numpy
        assert all(line in lines for line in both.numpy.splitlines())
        for function in both.c.strip().split("\n\n"):
            assert function in c
        assert "static void" in both.c


def test_a_fused_kernel_stands_beside_each_of_its_equations() -> None:
    code = partners(derivation("xor"))
    assert code[1].c == code[2].c
    assert code[1].numpy != code[2].numpy


def test_the_update_has_the_numbers_behind_all_others() -> None:
    made = derivation("adam")
    assert made.update is not None
    last = max(numbers(made))
    code = partners(made)
    assert [eq.number for eq in made.update.equations] == [last - 2, last - 1, last]
    assert code[last].numpy.startswith("theta_new = ") and "sbp_update" in code[last].c


def test_without_an_optimizer_there_is_no_update() -> None:
    made = sb.Network([sb.Input(2), sb.Dense(1)], "mse").derive()
    assert set(partners(made)) == numbers(made)
    assert not any("sbp_update" in both.c for both in partners(made).values())
