"""Programs emitted afresh, past the cache: what is declared may have been changed under a known name."""

from __future__ import annotations

from typing import Any

import numpy as np

import symbackprop as sb
from symbackprop.declare.optimizers import as_optimizer
from symbackprop.emit.c import emit_c
from symbackprop.emit.numpy import emit_numpy
from symbackprop.load.native import NativeModule
from symbackprop.load.numpy import NumpyModule
from symbackprop.lower import lower
from symbackprop.pipeline import derive
from symbackprop.train import Model

Array = np.ndarray[Any, Any]


def fresh_model(net: sb.Network, target: str = "numpy", optimizer: Any = None) -> Model:
    """A float64 model of the network as it is declared now."""
    chosen = as_optimizer(optimizer)
    program = lower(derive(net), chosen.equations())
    numpy = emit_numpy(program, "float64")
    module: Any = NumpyModule(numpy) if target == "numpy" else NativeModule(emit_c(program, "float64"), numpy)
    return Model(module, 0, {**net.strengths, **chosen.hypers}, numpy.text)


def objective_of(model: Model, X: Array, y: Array) -> Any:
    """The emitted objective as a function of the parameters."""

    def objective(parameters: dict[str, Array]) -> float:
        model.parameters.update(parameters)
        return float(model.evaluate(X, y)["loss"])

    return objective
