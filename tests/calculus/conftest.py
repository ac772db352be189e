"""What the independent check needs to run at all."""

from __future__ import annotations

import pytest

pytest.importorskip("jax", reason="the reference gradients are JAX's; it is an extra, `dev`")
