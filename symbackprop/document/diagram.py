"""The network drawn as its computational graph: boxes, arrows and labels with all their places."""

from __future__ import annotations

from ..language.tensor import Tensor
from ..present.tree import Constant, Leaf, Node, Size
from ..present.view import View
from ..records import Derivation
from .diagram_graph import Graph, graph_of
from .diagram_layout import HEIGHT, LEVEL, SLIM, WIDTH, Layout, layout
from .diagram_routes import PAIR, Point, Router
from .records import Arrow, Box, Diagram


def diagram(derivation: Derivation, view: View) -> Diagram:
    """Boxes from the input to the loss, what each reads above it, and the derivatives on the way back.

    Columns and rows are those of the boxes' centers. A network with many tensors is drawn without some of them:
    activations stand in the box of what they act on (`Box.more`), or a box of kind "dots" stands for the middle.
    """
    graph = graph_of(derivation)
    places = layout(graph)
    router = Router(places)
    router.plan(graph.edges())
    loss = derivation.objective.lhs
    boxes = [_box(tensor, places, router, view, loss) for tensor in graph.reads]
    arrows: list[Arrow] = []
    for tensor in graph.above:
        for made, arrow in _above(tensor, places, router, view) if tensor in places.spots else ():
            boxes.append(made)
            arrows.append(arrow)
    arrows += _arrows(graph, places, router, _labels(derivation, view))
    return Diagram(tuple(boxes), tuple(arrows))


def _box(tensor: Tensor, places: Layout, router: Router, view: View, loss: Tensor) -> Box:
    spot = places.spots[tensor]
    if tensor is places.graph.dots:
        return Box(tensor.name, "dots", spot.column, router.height(spot), Constant("..."), (), 0.3, 0.3)
    kind = "loss" if tensor is loss else tensor.kind
    more = tuple(map(Leaf, places.graph.within.get(tensor, ())))
    sizes = _sizes(tensor, view)
    return Box(tensor.name, kind, spot.column, router.height(spot), Leaf(tensor), sizes, WIDTH, HEIGHT, more)


def _sizes(tensor: Tensor, view: View) -> tuple[Node, ...]:
    return tuple(Size(tensor.dims[axis]) for axis in view.order(tensor))


def _above(tensor: Tensor, places: Layout, router: Router, view: View) -> list[tuple[Box, Arrow]]:
    """The parameters and whatever else stands above a box, two side by side."""
    spot = places.spots[tensor]
    x, y = spot.column, router.height(spot)
    found = places.graph.above[tensor]
    made = []
    for place, side in enumerate(found):
        level, alone = place // 2, place == len(found) - 1 and place % 2 == 0
        shift = 0.0 if alone else -0.25 if place % 2 == 0 else 0.25
        top = y - LEVEL * (level + 1)
        name = f"{side.name} of {tensor.name}"
        box = Box(name, side.kind, x + shift, top, Leaf(side), _sizes(side, view), SLIM, HEIGHT)
        down: tuple[Point, ...] = ((x + shift, top + HEIGHT / 2), (x + shift * 0.7, y - HEIGHT / 2))
        if level:
            down = ((x + shift, top + HEIGHT / 2), (x, top + LEVEL - HEIGHT / 2 - 0.03), (x, y - HEIGHT / 2))
        made.append((box, Arrow(name, tensor.name, points=down)))
    return made


def _labels(derivation: Derivation, view: View) -> dict[Tensor, Node]:
    """The derivative that comes back to a tensor, as far as an equation names it."""
    found = ((view.source(eq.lhs), eq.lhs) for eq in derivation.adjoints)
    return {source: Leaf(adjoint) for source, adjoint in found if source is not None}


def _arrows(graph: Graph, places: Layout, router: Router, labels: dict[Tensor, Node]) -> list[Arrow]:
    """Forward arrows, and backward ones to what depends on parameters."""
    trained = _trained(graph)
    made, named = [], set()
    straight = sorted(graph.edges(), key=lambda e: places.spots[e[0]].lane != places.spots[e[1]].lane)
    for start, end in straight:
        made.append(Arrow(start.name, end.name, points=router.points(start, end, backward=False)))
        if start not in trained:
            continue
        points = router.points(start, end, backward=True)
        label = None if start in named else labels.get(start)
        named |= {start} if label is not None else set()
        busy = any(a is start and places.spots[b].lane > places.spots[a].lane for a, b in graph.edges())
        at = _beside(points, busy) if label is not None else None
        made.append(Arrow(end.name, start.name, label, True, points, at))
    return made


def _beside(points: tuple[Point, ...], busy: bool) -> Point:
    """The place of a label: below the last stretch of the line, in the gap before the box that it leads to.

    Where that gap is `busy` with lines to other lanes, the label stands above the pair of lines.
    """
    (ax, ay), (bx, by) = points[-2:]
    if ax == bx:
        return bx + 0.2, by + 0.15
    reach = (1 - WIDTH) / 2
    middle = bx + reach, by + (ay - by) * min(1.0, reach / abs(ax - bx))
    if abs(ay - by) > PAIR:
        return middle[0] + (0.12 if ay < by else -0.12), middle[1] + 0.19
    return middle[0], middle[1] - 2 * PAIR - 0.17 if busy else middle[1] + 0.19


def _trained(graph: Graph) -> set[Tensor]:
    """What depends on a parameter."""
    found: set[Tensor] = set()
    for tensor, sources in graph.reads.items():
        own = any(t.kind == "parameter" for t in graph.above.get(tensor, ()))
        if own or tensor is graph.dots or any(s in found for s in sources):
            found.add(tensor)
    return found
