"""Target languages as data: how functions, powers and literals are spelled."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import (
    Abs,
    Max,
    Min,
    acos,
    asin,
    atan,
    ceiling,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    floor,
    log,
    sign,
    sin,
    sinh,
    tan,
    tanh,
)
from sympy.codegen.cfunctions import expm1, log1p


@dataclass(frozen=True, slots=True)
class Dialect:
    """Spellings of one target: `functions` by SymPy class, `suffix` of a floating literal, how a choice is written."""

    name: str
    functions: dict[type, str]
    suffix: str
    choice: str
    both: str
    either: str
    root: str
    power: str


PLAIN = {exp: "exp", log: "log", tanh: "tanh", sinh: "sinh", cosh: "cosh", sin: "sin", cos: "cos", tan: "tan",
         expm1: "expm1", log1p: "log1p", floor: "floor"}  # fmt: skip
OTHER = {asin: "asin", acos: "acos", atan: "atan"}

NUMPY = Dialect(
    "numpy",
    {f: f"np.{n}" for f, n in PLAIN.items()}
    | {f: f"np.arc{n[1:]}" for f, n in OTHER.items()}
    | {
        Abs: "np.abs",
        sign: "np.sign",
        ceiling: "np.ceil",
        Max: "np.maximum",
        Min: "np.minimum",
        erf: "erf",
        erfc: "erfc",
    },
    suffix="",
    choice="np.where({condition}, {yes}, {no})",
    both="({left}) & ({right})",
    either="({left}) | ({right})",
    root="np.sqrt",
    power="{base}**{exponent}",
)


def c_dialect(dtype: str) -> Dialect:
    """C for float32 or float64."""
    f = "f" if dtype == "float32" else ""
    return Dialect(
        "c",
        {k: n + f for k, n in (PLAIN | OTHER).items()}
        | {Abs: f"fabs{f}", ceiling: f"ceil{f}", erf: f"erf{f}", erfc: f"erfc{f}",
           sign: "sbp_sign", Max: "sbp_max", Min: "sbp_min"},
        suffix=f,
        choice="({condition} ? {yes} : {no})",
        both="({left}) && ({right})",
        either="({left}) || ({right})",
        root=f"sqrt{f}",
        power=f"pow{f}({{base}}, {{exponent}})",
    )  # fmt: skip


C_DOUBLE = c_dialect("float64")
