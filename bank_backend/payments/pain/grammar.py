"""A small grammar of messages: which elements, in which order, how often, with what text; all faults are found at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_backend.payments.pain.markup import Markup

_NOT_TAKEN: Final = "is not taken here, and is refused rather than ignored: remove it"
_MOST_FAULTS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What may stand in a message. `value` reads the text of one without children; `attribute` is one that it must have."""

    name: str
    content: tuple[Element | Choice, ...] = ()
    value: Callable[[str], Any] | None = None
    least: int = 1
    most: int = 1
    attribute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Exactly one of these, or at most one."""

    of: tuple[Element, ...]
    least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An element as the grammar has read it. `path` is its XPath, `value` what its text says."""

    name: str
    path: str
    line: int
    value: Any = None
    attribute: str = ""
    children: tuple[Node, ...] = ()

    def nodes(self, steps: str) -> list[Node]:
        """Return the elements at this path below, in order."""
        found = [self]
        for step in steps.split("/"):
            found = [child for node in found for child in node.children if child.name == step]
        return found

    def first(self, steps: str) -> Node | None:
        """Return the first of them, or None."""
        return next(iter(self.nodes(steps)), None)

    def at(self, steps: str) -> Any:  # noqa: ANN401 - of the type that the element's reader returns
        """Return the value of the first of them, or None."""
        found = self.first(steps)
        return None if found is None else found.value

    def nearest(self, steps: str) -> Node:
        """Return the element at this path or, where it is missing, the last one on the way to it."""
        node = self
        for step in steps.split("/"):
            found = node.first(step)
            if found is None:
                break
            node = found
        return node


def read(root: Markup, grammar: Element) -> Node:
    """Read a message; raises `FormatError` that names up to ten faults, each by the element's path and line."""
    reader = _Reader()
    node = reader.node(root, grammar, f"/{root.name}")
    if reader.faults:
        raise FormatError.of(reader.faults[:_MOST_FAULTS])
    return node


@dataclass(slots=True)
class _Reader:
    faults: list[FormatError] = field(default_factory=list)

    def node(self, markup: Markup, grammar: Element, path: str) -> Node:
        value: Any = None
        children: tuple[Node, ...] = ()
        if grammar.value is not None:
            value = self._value(markup, grammar.value, path)
        else:
            if markup.text:
                self._fault(markup.line, path, f"holds the text {markup.text[:20]!r}, and elements are meant")
            children = self._children(markup, grammar, path)
        attribute = self._attribute(markup, grammar, path)
        return Node(name=markup.name, path=path, line=markup.line, value=value, attribute=attribute, children=children)

    def _value(self, markup: Markup, reader: Callable[[str], Any], path: str) -> Any:  # noqa: ANN401 - as above
        if markup.children:
            return self._fault(markup.children[0].line, path, "holds an element, and a text is meant")
        try:
            return reader(markup.text)
        except ValueError as error:
            return self._fault(markup.line, path, f"is wrong: {error}")

    def _attribute(self, markup: Markup, grammar: Element, path: str) -> str:
        for name in markup.attributes:
            if name != grammar.attribute:
                self._fault(markup.line, f"{path}/@{name[:40]}", "is not known here")
        if grammar.attribute is not None and grammar.attribute not in markup.attributes:
            self._fault(markup.line, f"{path}/@{grammar.attribute}", "is missing")
        return markup.attributes.get(grammar.attribute or "", "")

    def _children(self, markup: Markup, grammar: Element, path: str) -> tuple[Node, ...]:
        known = _known(grammar)
        counts: Counter[str] = Counter()
        nodes, reached = [], 0
        for child in markup.children:
            counts[child.name] += 1
            if child.name not in known:
                self._fault(child.line, f"{path}/{child.name[:40]}", _NOT_TAKEN)
                continue
            place, element = known[child.name]
            below = f"{path}/{child.name}" + (f"[{counts[child.name]}]" if element.most > 1 else "")
            if place < reached:
                self._fault(child.line, below, "stands too late: the message has an order of elements")
            reached = max(reached, place)
            if counts[child.name] > element.most:
                most = f"more than {element.most} times" if element.most > 1 else "twice: this bank takes one"
                self._fault(child.line, below, f"stands {most}")
                continue
            nodes.append(self.node(child, element, below))
        self._require_complete(markup, grammar, path, counts)
        return tuple(nodes)

    def _require_complete(self, markup: Markup, grammar: Element, path: str, counts: Counter[str]) -> None:
        for particle in grammar.content:
            if isinstance(particle, Element):
                if counts[particle.name] < particle.least:
                    self._fault(markup.line, f"{path}/{particle.name}", "is missing")
                continue
            names = [element.name for element in particle.of]
            given = [name for name in names if counts[name]]
            if len(given) > 1:
                self._fault(markup.line, f"{path}/{given[1]}", f"stands beside {given[0]}: give one of the two")
            elif len(given) < particle.least:
                self._fault(markup.line, f"{path}/{names[0]}", f"is missing: give {' or '.join(names)}")

    def _fault(self, line: int, path: str, text: str) -> None:
        self.faults.append(FormatError(f"{path.rpartition('/')[2]} in line {line} {text}", path=path))


def _known(grammar: Element) -> dict[str, tuple[int, Element]]:
    """Return the elements by name, each with its place in the order."""
    particles = enumerate(grammar.content)
    pairs = [(place, element) for place, each in particles for element in _alternatives(each)]
    return {element.name: (place, element) for place, element in pairs}


def _alternatives(particle: Element | Choice) -> Sequence[Element]:
    return (particle,) if isinstance(particle, Element) else particle.of
