"""One row an initializer: the mean and the spread of what it draws for a filter (out, in, h, w), by its definition."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbackprop.declare import initializers
from symbackprop.runtime import Slot
from symbackprop.train.initialize import Draw, _filler
from tests.table.harness import Measured

FILTER = (16, 12, 5, 7)
FAN_IN, FAN_OUT = 12 * 5 * 7, 16 * 5 * 7


@dataclass(frozen=True)
class InitializerRow:
    """Deviations in standard errors over five: at most 1 is right. Both targets start from the same numbers."""

    block: str
    made: Any
    mean: float
    deviation: float
    note: str = ""
    variant: str = ""
    kind: str = "initializer"
    tolerance: float = 1.0

    def measure(self, target: str) -> Measured:
        """The mean's and the standard deviation's error; the shares of a normal number beyond one deviation."""
        values = _filler(Slot("W", FILTER, 0, self.made))(Draw(7, "W", FILTER))
        return Measured(self._errors(values), self._errors(1.1 * values + 0.1 * (self.deviation or 1)))

    def _errors(self, values: Any) -> dict[str, float]:
        count = math.prod(FILTER)
        assert values.shape == (count,)
        if self.deviation == 0:
            return {"values": float(np.abs(values - self.mean).max() / 1e-15)}
        return {
            "mean": abs(values.mean() - self.mean) / self.deviation * math.sqrt(count) / 5,
            "deviation": abs(values.std() / self.deviation - 1) * math.sqrt(2 * count) / 5,
        }


_CUT = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))
"""The standard deviation of a standard normal number known to lie within 2."""

ROWS = [
    InitializerRow("constant", initializers.constant(0.3), 0.3, 0.0),
    InitializerRow("zeros", initializers.zeros(), 0.0, 0.0),
    InitializerRow("ones", initializers.ones(), 1.0, 0.0),
    InitializerRow("normal", initializers.normal(0.2, 0.7), 0.2, 0.7),
    InitializerRow("uniform", initializers.uniform(-1, 3), 1.0, 4 / math.sqrt(12)),
    InitializerRow("truncated_normal", initializers.truncated_normal(0.2, 0.7), 0.2, 0.7 * _CUT),
    InitializerRow("glorot_uniform", initializers.glorot_uniform(), 0.0, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    InitializerRow("glorot_normal", initializers.glorot_normal(), 0.0, math.sqrt(2 / (FAN_IN + FAN_OUT))),
    InitializerRow("he_uniform", initializers.he_uniform(), 0.0, math.sqrt(2 / FAN_IN)),
    InitializerRow("he_normal", initializers.he_normal(), 0.0, math.sqrt(2 / FAN_IN)),
    InitializerRow("lecun_uniform", initializers.lecun_uniform(), 0.0, math.sqrt(1 / FAN_IN)),
    InitializerRow("lecun_normal", initializers.lecun_normal(), 0.0, math.sqrt(1 / FAN_IN), "not in PyTorch"),
    InitializerRow(
        "fan_in_uniform", initializers.fan_in_uniform(), 0.0, 1 / math.sqrt(3 * FAN_IN), "PyTorch's default"
    ),
    # orthonormal rows of length 420: the squares of all entries sum to 16 gain^2
    InitializerRow("orthogonal", initializers.orthogonal(1.5), 0.0, 1.5 / math.sqrt(FAN_IN)),
]
