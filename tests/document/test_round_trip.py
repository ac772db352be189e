"""The printed formulas of the gallery, computed by a judge that shares no code with the printers, against JAX."""

from __future__ import annotations

import numpy as np
import pytest

from tests.document.gallery_names import NOTATIONS
from tests.document.gallery_reader import faults, page
from tests.document.gallery_reference import ENTRIES, reference
from tests.document.judge.lines import UnreadableError
from tests.document.judge.page import DisagreementError
from tests.document.mutants import MISTAKES, mutants
from tests.document.printed import gallery, printed

CASES = [(name, profile) for name in ENTRIES for profile in NOTATIONS]


@pytest.mark.parametrize(("name", "profile"), CASES)
def test_printed_formulas_have_jaxs_values(name: str, profile: str) -> None:
    assert not faults(name, profile, printed(name, profile))
    assert not faults(name, profile, printed(name, profile, "steps"))


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


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("profile", NOTATIONS)
def test_a_wrong_formula_is_found(name: str, profile: str) -> None:
    """Every mistake in the default notation, every fifth one in the others."""
    made = list(mutants(printed(name, profile)))
    tried = made if profile == "rows" else made[len(name) % 5 :: 5]
    assert tried
    assert not [what for what, text in tried if not is_rejected(name, profile, text)]


def is_rejected(name: str, profile: str, text: str) -> bool:
    assert text != printed(name, profile)
    try:
        return bool(faults(name, profile, text))
    except (UnreadableError, DisagreementError):
        return True


def test_mistakes_of_every_kind_were_tried() -> None:
    tried = {what.partition(" in line")[0] for name, profile in CASES for what, _ in mutants(printed(name, profile))}
    assert tried == set(MISTAKES)
