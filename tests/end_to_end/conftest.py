"""What the end-to-end tests share."""

from __future__ import annotations

import pytest

from symbackprop.load.compiler import find_compiler


@pytest.fixture
def c_compiler() -> None:
    """Skips the test on a machine without a C compiler."""
    if find_compiler() is None:
        pytest.skip("no C compiler on this machine; `symbackprop doctor` says how to get one")
