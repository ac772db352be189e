"""The printed formulas of the gallery, computed by a judge that shares no code with the printers, against JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.document.gallery_names import NOTATIONS
from tests.document.gallery_reference import ENTRIES, LAM, reference
from tests.document.judge.names import key
from tests.document.judge.page import Page, close
from tests.document.printed import gallery, printed

CASES = [(name, profile) for name in ENTRIES for profile in NOTATIONS]
WINDOW = {"rows": "km", "columns": "mp", "ng": "pq", "torch": "km", "keras": "km", "lecture-1": "mp"}
"""The letters of the pooling windows, which are 2 wide: the formula itself does not say it."""


def page(name: str, profile: str) -> Page:
    """A reader who knows the data, the parameters and the sizes."""
    written, known = NOTATIONS[profile], reference(name)
    given: dict[str, Any] = {written.name(k): written.stands(k, v) for k, v in (known.data | known.parameters).items()}
    rows = next(iter(known.data.values())).shape[0]
    given |= {written.size: rows} | ({r"\lambda": LAM} if name == "deep_mlp" else {})
    ranges = {}
    if name == "convolution":
        window = dict.fromkeys(WINDOW[profile], 2)
        ranges = {r"\mathit{arg}_{h_{2}}": window, written.name("h2"): window}
    return Page(given, written.samples, written.implicit, ranges=ranges)


def wanted(name: str, profile: str) -> dict[str, Any]:
    """The loss and all derivatives that JAX gives, by the key of their printed name."""
    written, known = NOTATIONS[profile], reference(name)
    rows = next(iter(known.data.values())).shape[0]
    factor = rows if profile == "ng" and ENTRIES[name].mean else 1
    found: dict[str, Any] = {written.loss: known.loss}
    for plain, array in known.gradients.items():
        found[written.derivative(plain)] = written.stands(plain, array)
    for plain, array in known.deltas.items():
        printed_name = written.derivative(plain) if plain[0] == "z" else written.adjoint(plain)
        found[printed_name] = factor * written.stands(plain, array)
    return {key(k): v for k, v in found.items()}


def faults(name: str, profile: str, text: str) -> list[str]:
    """What is wrong in a document, or missing."""
    got = page(name, profile).read(text)
    return [k for k, v in wanted(name, profile).items() if k not in got or not close(got[k], v)]


@pytest.mark.parametrize(("name", "profile"), CASES)
def test_printed_formulas_have_jaxs_values(name: str, profile: str) -> None:
    assert not faults(name, profile, printed(name, profile))


def test_the_gallery_is_complete() -> None:
    made = gallery()
    assert set(made.GALLERY) == set(ENTRIES)
    for name, (network, _, shapes) in made.GALLERY.items():
        assert getattr(made, name) is network
        assert shapes == ENTRIES[name].data


def test_ng_writes_m_times_the_derivative() -> None:
    known = reference("logistic")
    got = page("logistic", "ng").read(printed("logistic", "ng"))
    np.testing.assert_allclose(got["d Z^{[1]}"], 6 * known.deltas["z1"].T, rtol=1e-9)
