"""A reader of the gallery's documents: what is known before the first line, and what must come out."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.document.gallery_names import NOTATIONS
from tests.document.gallery_reference import ENTRIES, LAM, reference
from tests.document.judge.names import key
from tests.document.judge.page import Page, close

THETA, G, T = 0.7, -0.3, 3
"""An entry of a parameter and of its gradient, and the number of the step."""
STATES = {
    "adam": {"m": 0.2, "v": 0.05, r"\beta_{1}": 0.9, r"\beta_{2}": 0.999, r"\varepsilon": 0.01, "t": T},
    "nesterov": {"v": 0.4, r"\mu": 0.9},
}
RATE = 0.1
"""The reader may choose the numbers: the defaults of Adam are so small that a wrong sign would not show."""


def stepped(name: str) -> dict[str, float]:
    """An entry of a parameter after a step, and what the optimizer keeps, in plain arithmetic."""
    if name == "adam":
        m, v = 0.9 * 0.2 + 0.1 * G, 0.999 * 0.05 + 0.001 * G**2
        m_hat, v_hat = m / (1 - 0.9**T), v / (1 - 0.999**T)
        return {"m^{+}": m, "v^{+}": v, r"\theta^{+}": THETA - RATE * m_hat / (np.sqrt(v_hat) + 0.01)}
    if name == "nesterov":
        v = 0.9 * 0.4 + G
        return {"v^{+}": v, r"\theta^{+}": THETA - RATE * (G + 0.9 * v)}
    return {r"\theta^{+}": THETA - RATE * G}


def kept(written: str, profile: str) -> str:
    """In Ng's notation m is the number of samples."""
    return written.replace("m", "M") if profile == "ng" and written[0] == "m" else written


def rows_of(name: str) -> int:
    return int(next(iter(ENTRIES[name].data.values()))[0])


def page(name: str, profile: str) -> Page:
    """A reader who knows the data, the parameters, the sizes, and where the optimizer is."""
    written, known = NOTATIONS[profile], reference(name)
    given: dict[str, Any] = {written.name(k): written.stands(k, v) for k, v in (known.data | known.parameters).items()}
    given |= {written.size: rows_of(name), written.rate: RATE, r"\theta": THETA, "g": G}
    given |= {kept(k, profile): v for k, v in STATES.get(name, {}).items()}
    if name == "deep_mlp":
        given[r"\lambda"] = LAM
        for plain in ("W1", "W2", "W3"):  # the derivative without the penalty, for the step that shows what it adds
            gradient = known.gradients[plain] - LAM / rows_of(name) * known.parameters[plain]
            given[written.partial(f"{written.loss}_{{0}}", plain)] = written.stands(plain, gradient)
    return Page(given, written.samples, written.implicit)


def wanted(name: str, profile: str) -> dict[str, Any]:
    """The loss and all derivatives that JAX gives, and the optimizer's step, by the key of their printed name."""
    written, known = NOTATIONS[profile], reference(name)
    factor = rows_of(name) if profile == "ng" and ENTRIES[name].mean else 1
    found: dict[str, Any] = {written.loss: known.loss}
    for plain, array in known.gradients.items():
        found[written.derivative(plain)] = written.stands(plain, array)
    for plain, array in known.deltas.items():
        printed_name = written.derivative(plain) if plain[0] == "z" else written.adjoint(plain)
        found[printed_name] = factor * written.stands(plain, array)
    for plain in ("W1", "W2", "W3") if name == "deep_mlp" else ():
        weight, rate = written.stands(plain, known.parameters[plain]), LAM / rows_of(name)
        found["R"] = found.get("R", 0) + rate / 2 * np.sum(weight**2)
        found[written.partial("R", plain)] = rate * weight
        found[written.new(plain)] = weight - RATE * written.stands(plain, known.gradients[plain])
    found |= {kept(k, profile): v for k, v in stepped(name).items()}
    return {key(k): v for k, v in found.items()}


def faults(name: str, profile: str, text: str) -> list[str]:
    """What is wrong in a document, or missing."""
    got = page(name, profile).read(text)
    return [k for k, v in wanted(name, profile).items() if k not in got or not close(got[k], v)]
