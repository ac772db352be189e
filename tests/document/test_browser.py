"""The HTML file in a real browser, offline: nothing fails, every formula has its place, nothing overlaps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from symbackprop.document.html import html
from tests.document.pages import formulas, made

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
pytestmark = [pytest.mark.skipif(BROWSER is None, reason="no Chromium"), pytest.mark.slow]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--virtual-time-budget=4000"]
PROBE = """
<script>
var errors = [];
window.addEventListener("error", function (event) { errors.push(String(event.message)); });
</script>
"""
REPORT = """
<script>
document.fonts.ready.then(function () {
  function boxes(selector) {
    return Array.from(document.querySelectorAll(selector)).map(function (e) { return e.getBoundingClientRect(); });
  }
  var coded = Array.from(document.querySelectorAll(".coded")).map(function (e) {
    return Array.from(e.children).map(function (k) {
      var b = k.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom];
    });
  });
  var first = document.querySelector("pre.numpy");
  first.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
  var lit = Array.from(document.querySelectorAll(".lit"));
  var report = {
    errors: errors,
    maths: boxes("math").length,
    flat: boxes("math").filter(function (b) { return b.width < 3 || b.height < 3; }).length,
    wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    font: document.fonts.check('16px "Symbackprop Math"', "\\u{1D44A}") && document.fonts.size > 0,
    loaded: performance.getEntriesByType("resource").map(function (r) { return r.name.slice(0, 60); }),
    coded: coded,
    cut: Array.from(document.querySelectorAll(".row")).filter(function (e) {
      return e.scrollWidth > e.clientWidth + 1;
    }).map(function (e) { return e.querySelector(".number").textContent; }),
    labels: Array.from(document.querySelectorAll("foreignObject")).map(function (e) {
      var outer = e.getBoundingClientRect(), inner = e.querySelector("math").getBoundingClientRect();
      return [inner.width - outer.width, inner.height - outer.height];
    }),
    lit: lit.map(function (e) { return e.tagName + "." + (e.className || ""); }),
    same: lit.every(function (e) { return e.dataset.eq === first.dataset.eq; }),
  };
  document.title = JSON.stringify(report);
});
</script>
"""


@cache
def report(name: str, folder: Path, width: int, profile: str = "rows", shapes: bool = False) -> Any:
    text = html(made(name, profile, shapes=shapes))
    text = text.replace("<head>", "<head>" + PROBE, 1).replace("</body>", REPORT + "</body>", 1)
    path = folder / f"{name}-{width}-{profile}.html"
    path.write_text(text, encoding="utf-8")
    assert BROWSER is not None
    flags = [*FLAGS, f"--user-data-dir={folder / 'profile'}", f"--window-size={width},900", "--dump-dom"]
    done = subprocess.run([BROWSER, *flags, path.as_uri()], capture_output=True, text=True, check=True, timeout=120)
    found = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert found is not None
    return json.loads(found[1].replace("&amp;", "&")), re.findall(r".*CONSOLE.*", done.stderr)


@pytest.mark.parametrize(
    ("name", "width", "profile", "shapes"),
    [("xor", 1440, "rows", True), ("modes", 1100, "ng", False), ("convolution", 500, "columns", False)],
)
def test_the_page_opens(name: str, width: int, profile: str, shapes: bool, tmp_path_factory: Any) -> None:
    found, console = report(name, tmp_path_factory.mktemp("browser"), width, profile, shapes)
    assert not console
    assert found["errors"] == []
    assert all(name.startswith("data:") for name in found["loaded"])
    assert found["font"]
    assert found["maths"] >= 2 * len(formulas(made(name, profile)))
    assert found["flat"] == 0
    assert found["wide"] <= 0, "the page is wider than the window"
    assert found["labels"]
    assert all(width <= 0 and height <= 0 for width, height in found["labels"]), "a label is larger than its box"
    assert found["coded"]
    for boxes in found["coded"]:
        for one, (left, top, right, bottom) in enumerate(boxes):
            for other in boxes[one + 1 :]:
                assert left >= other[2] or other[0] >= right or top >= other[3] or other[1] >= bottom, "an overlap"


def test_formula_and_code_stand_side_by_side_where_there_is_room(tmp_path: Path) -> None:
    for width, columns in ((1440, 3), (500, 1)):
        found, _ = report("xor", tmp_path, width)
        for boxes in found["coded"]:
            assert len({round(box[0]) for box in boxes}) == columns


def test_no_formula_is_cut_on_a_wide_page(tmp_path: Path) -> None:
    found, _ = report("convolution", tmp_path, 1440)
    assert found["cut"] == []


def test_partners_light_up_together(tmp_path: Path) -> None:
    found, _ = report("xor", tmp_path, 1440)
    assert found["same"]
    kinds = {kind.split(".")[0] + "." + kind.split(".")[1].split(" ")[0] for kind in found["lit"]}
    assert kinds == {"DIV.formula", "PRE.numpy", "PRE.c", "LI.lit"}
