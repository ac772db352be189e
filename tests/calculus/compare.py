"""When are two gradients equal: against a reference, and against differences of the objective itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Arrays = Mapping[str, Array]

REFERENCE_TOLERANCE = 1e-10
DIFFERENCE_TOLERANCE = 1e-6


def relative_errors(got: Arrays, reference: Arrays) -> dict[str, float]:
    """max|g - ref| / max(max|ref|, 1e-4 * the largest gradient entry in the network), by tensor; 0/0 is 0."""
    assert set(got) == set(reference), f"parameters {sorted(got)}, expected {sorted(reference)}"
    largest = max(float(np.abs(r).max()) for r in reference.values())
    errors = {}
    for name, ref in reference.items():
        assert got[name].shape == ref.shape, f"d{name} has shape {got[name].shape}, expected {ref.shape}"
        difference = float(np.abs(got[name] - ref).max())
        scale = max(float(np.abs(ref).max()), 1e-4 * largest)
        errors[name] = 0.0 if difference == 0 else difference / scale if scale else np.inf
    return errors


def assert_equal_gradients(got: Arrays, reference: Arrays, what: object = "") -> None:
    """Every tensor within `REFERENCE_TOLERANCE` of its reference."""
    errors = relative_errors(got, reference)
    worst = max(errors, key=lambda name: np.nan_to_num(errors[name], nan=np.inf))
    assert errors[worst] <= REFERENCE_TOLERANCE, f"d{worst} is off by {errors[worst]:.3g} of its size\n{what}"


def difference_errors(
    objective: Callable[[dict[str, Array]], float], parameters: Arrays, gradients: Arrays, seed: int = 0
) -> dict[str, float]:
    """Central differences along two directions a tensor, a random one and the gradient's own: error / size.

    The second direction sees a wrong factor, whatever the first one happens to be orthogonal to.
    """
    draw = np.random.default_rng(seed)
    step = 1e-5
    errors = {}
    for name, gradient in gradients.items():
        size = float(np.linalg.norm(gradient))
        directions = [draw.normal(size=gradient.shape)] + ([gradient] if size else [])
        worst = 0.0
        for raw in directions:
            direction = raw / np.linalg.norm(raw)
            ahead, behind = (
                objective({**parameters, name: parameters[name] + sign * step * direction}) for sign in (1, -1)
            )
            noise = 1e-14 * max(abs(ahead), abs(behind)) / step
            off = abs((ahead - behind) / (2 * step) - float((gradient * direction).sum()))
            worst = np.fmax(worst, off / max(size, noise / DIFFERENCE_TOLERANCE)) if np.isfinite(off) else np.inf
        errors[name] = float(worst)
    return errors


def assert_match_differences(
    objective: Callable[[dict[str, Array]], float], parameters: Arrays, gradients: Arrays, what: object = ""
) -> None:
    """Every tensor's gradient is the slope of the objective."""
    errors = difference_errors(objective, parameters, gradients)
    worst = max(errors, key=lambda name: errors[name])
    assert errors[worst] <= DIFFERENCE_TOLERANCE, f"d{worst} misses the slope by {errors[worst]:.3g}\n{what}"
