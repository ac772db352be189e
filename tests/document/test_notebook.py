"""The notebook is valid, and its code runs and finds the gradients right."""

from __future__ import annotations

import ast
import base64
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from symbackprop.document.make import document
from symbackprop.document.notebook import notebook
from symbackprop.document.records import Arrow, Box, Diagram, Document, Section
from symbackprop.document.svg import svg
from symbackprop.errors import PresentationError
from symbackprop.present.tree import Leaf, Size
from symbackprop.present.view import PLAIN
from tests.document.pages import made
from tests.present.networks import NETWORKS


def cells(made: Document, kind: str) -> list[str]:
    found: Any = json.loads(notebook(made))
    return ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == kind]


def test_it_is_a_notebook_of_version_4_5() -> None:
    found: Any = json.loads(notebook(made("xor")))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in found["cells"]]
    assert len(ids) == len(set(ids)) and all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", i) for i in ids)
    for cell in found["cells"]:
        more = {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | more


@pytest.mark.parametrize("name", ["xor", "modes", "half_square_norm", "convolution", "adam"])
def test_it_runs_and_the_gradients_are_right(name: str, tmp_path: Path) -> None:
    code = cells(made(name), "code")
    for cell in code:
        ast.parse(cell)
    assert [cell for cell in code if "def gradients(" in cell] and len(code) > 5
    script = tmp_path / "cells.py"
    script.write_text("\n\n".join(code), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    label, error = done.stdout.strip().rsplit(" ", 1)
    assert label == "largest relative error:"
    assert 0.0 < float(error) < 1e-6


def test_other_targets_are_drawn_as_they_must_be(tmp_path: Path) -> None:
    import symbackprop as sb

    network = sb.Network([sb.Input(5, levels=9), sb.layers.Embedding(9, 3), sb.layers.Flatten(), sb.Dense(1)], "hinge")
    script = tmp_path / "cells.py"
    script.write_text("\n\n".join(cells(document(network.derive()), "code")), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert float(done.stdout.rsplit(" ", 1)[1]) < 1e-6
    assert "rng.integers(9, size=(rows, 5))" in script.read_text() and "rng.choice([-1.0, 1.0]" in script.read_text()


def test_the_drawing_is_a_picture_of_its_own() -> None:
    derivation = NETWORKS["xor"].derive()
    x, z = derivation.system.inputs[0], derivation.forward[0].lhs
    boxes = (Box("x", "input", 0, 0, Leaf(x), tuple(map(Size, x.dims))), Box("z", "intermediate", 1, 0, Leaf(z)))
    arrows = (
        Arrow("x", "z", points=((0.28, 0.0), (0.72, 0.0))),
        Arrow("z", "x", Leaf(z), True, ((0.72, 0.1), (0.5, 0.1), (0.5, 0.2), (0.28, 0.2)), (0.5, 0.4)),
    )
    drawing = Diagram(boxes, arrows)
    base = document(derivation)
    page = replace(base, sections=(Section("network", "N", (drawing,)),))
    text = "\n".join(cells(page, "markdown"))
    (data,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', text)
    root = ET.fromstring(base64.b64decode(data))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert ET.tostring(root) == ET.tostring(ET.fromstring(svg(drawing, base.view, alone=True)))
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert words == ["x", "N × 2", "z₁", "z₁"]


def test_a_document_without_derivation_is_refused() -> None:
    with pytest.raises(PresentationError, match="needs the document of a derivation"):
        notebook(Document("t", "en", (), view=PLAIN))
