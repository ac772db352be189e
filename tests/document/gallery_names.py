r"""How each notation writes the quantities of the gallery, by hand: `NAMES["columns"]["W1"]` is w^{1}.

`turned` says which of them stand transposed. Nothing here comes from symbackprop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = Any


@dataclass(frozen=True)
class Written:
    """One notation. `%` is the number of a layer. `delta` writes dL/dz of a pre-activation (a name), `gradient` others.

    `samples` is the axis of the samples in a matrix, `kernels`: whether a dense layer's W is (in, out).
    """

    names: Mapping[str, str]
    size: str
    loss: str
    gradient: str
    delta: str
    rate: str = r"\eta"
    samples: int = 0
    implicit: bool = True
    kernels: bool = False

    def name(self, plain: str) -> str:
        """W1 as it is written here."""
        letter, number = plain.rstrip("0123456789"), plain[len(plain.rstrip("0123456789")) :]
        return self.names.get(letter + "%" * bool(number), letter).replace("%", number)

    def derivative(self, plain: str) -> str:
        """dL/dW1, dL/dz1 as it is written here."""
        if plain[0] == "z" or self.gradient == self.delta:
            return self.delta.replace("{}", self.name(plain)).replace("%", plain[1:])
        return self.gradient.replace("{}", self.name(plain))

    def partial(self, of: str, plain: str) -> str:
        """The derivative of another number, where the loss's letter has no place in the notation."""
        name = self.name(plain)
        return rf"\nabla_{{{name}}} {of}" if "nabla" in self.gradient else rf"\frac{{\partial {of}}}{{\partial {name}}}"

    def new(self, plain: str) -> str:
        """W1 after a step."""
        name = self.name(plain)
        return f"{name[:-1]}+}}" if "^" in name else f"{name}^{{+}}"

    def adjoint(self, plain: str) -> str:
        """dL/dh2 of what lies between the layers."""
        if r"\delta" in self.delta:
            inner = f"{plain[0]}_{{{plain[1:]}}}" if plain[1:] else plain
            return rf"\delta_{{{inner}}}"
        return self.delta.replace("{}", self.name(plain))

    def stands(self, plain: str, array: Array) -> Array:
        """The array as a matrix of this notation stands."""
        array = np.asarray(array)
        turned = array.ndim == 2 and (self.samples == 1) and plain[0] in "xyzahXU"
        turned = turned or (array.ndim == 2 and self.kernels and plain[0] == "W" and len(plain) > 1)
        return array.T if turned else array


LOW = {"x": "x", "y": "y", **{f"{c}%": f"{c}_{{%}}" for c in ("W", "b", "z", "a", "h")}}
LOW |= {"gamma%": r"\gamma_{%}", "beta%": r"\beta_{%}", "arg%": r"\mathit{arg\_h}_{%}"}
UP = {"x": "x", "y": "y", "W": "w", "W%": "w^{%}", **{f"{c}%": f"{c}^{{%}}" for c in ("b", "z", "a", "h")}}
UP |= {"gamma%": r"\gamma^{%}", "beta%": r"\beta^{%}", "arg%": r"\mathit{arg\_h}^{%}"}
CAPITAL = {"x": "X", "y": "Y", "W%": "W^{[%]}", "b%": "b^{[%]}"}
CAPITAL |= {"z%": "Z^{[%]}", "a%": "A^{[%]}", "h%": "H^{[%]}"}
CAPITAL |= {"gamma%": r"\gamma^{[%]}", "beta%": r"\beta^{[%]}", "arg%": r"\mathit{arg\_h}^{[%]}"}
FIRST = {**LOW, "x": "X", "y": "Y", "z%": "S_{%}", "a%": "O_{%}", "h%": "H_{%}"}

NOTATIONS = {
    "rows": Written(LOW, "N", "L", r"\frac{\partial L}{\partial {}}", r"\delta^{(%)}", implicit=False),
    "columns": Written(UP, "n", "C", r"\frac{\partial C}{\partial {}}", r"\delta^{%}", samples=1, implicit=False),
    "ng": Written(CAPITAL, "m", "J", "d{}", "d{}", r"\alpha", samples=1),
    "torch": Written(LOW, "N", "L", r"{}\mathrm{.grad}", r"{}\mathrm{.grad}"),
    "keras": Written(LOW, "N", "L", r"\nabla_{{}} L", r"\nabla_{{}} L", kernels=True),
    "lecture-1": Written(
        FIRST, "n", "L", r"\frac{\partial L}{\partial {}}", r"\frac{\partial L}{\partial {}}", r"\alpha"
    ),
}
