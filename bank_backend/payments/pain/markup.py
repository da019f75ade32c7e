"""XML from strangers made into a tree of elements: nothing fetched, nothing expanded, nothing deeper or larger than allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from lxml import etree

from bank_backend.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_LEVELS: Final = 20
_MOST_ELEMENTS: Final = 20_000
_MOST_ATTRIBUTES: Final = 20
_DOCTYPE: Final = "<!DOCTYPE"


@dataclass(frozen=True, slots=True)
class Markup:
    """An element: its name without namespace, where it stands, what it holds. Comments are not kept."""

    name: str
    line: int
    attributes: dict[str, str]
    text: str
    children: tuple[Markup, ...]


def read_markup(data: bytes) -> tuple[Markup, str]:
    """Return the root element and its namespace; raises `FormatError` for what is no XML, or XML that asks for more."""
    _require_plain(data)
    # Each of these is a way in: entities (billion laughs, XXE), the network, and trees without bounds.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        if str(error.msg).startswith("Excessive depth"):
            raise FormatError(f"the XML is nested more than {_MOST_LEVELS} levels deep (line {line})") from None
        what, _, _ = str(error.msg).partition(", line ")
        raise FormatError(f"the body is no XML: {what[:120]} (line {line}, column {column})") from None
    namespace = etree.QName(root).namespace or ""
    return _element(root, namespace, level=1, budget=iter(range(_MOST_ELEMENTS))), namespace


def _require_plain(data: bytes) -> None:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"the XML is not UTF-8: byte {error.start} can't be read") from None
    if not text.strip():
        raise FormatError("the body is empty: a pain.001 message is meant")
    if _DOCTYPE in text.upper():
        raise FormatError("the XML has a document type declaration: remove it, nothing of it is used")
    if "\N{REPLACEMENT CHARACTER}" in text:
        raise FormatError("the XML holds a character that was lost on its way: send it as UTF-8")


def _element(element: etree._Element, namespace: str, *, level: int, budget: Iterator[int]) -> Markup:
    line = _line(element)
    if level > _MOST_LEVELS:
        raise FormatError(f"the XML is nested more than {_MOST_LEVELS} levels deep (line {line})")
    if next(budget, None) is None:
        raise FormatError(f"the XML has more than {_MOST_ELEMENTS} elements (line {line})")
    name = etree.QName(element)
    if (name.namespace or "") != namespace:
        text = f"{name.localname[:40]} is in another namespace than the message: {(name.namespace or 'none')[:80]}"
        raise FormatError(f"{text} (line {line})", path=name.localname[:40])
    # lxml looks each of them up among all: a tag as long as a body may be would hold a worker for seconds.
    if len(element.attrib) > _MOST_ATTRIBUTES:
        raise FormatError(f"{name.localname[:40]} has more than {_MOST_ATTRIBUTES} attributes (line {line})")
    children = tuple(_element(child, namespace, level=level + 1, budget=budget) for child in element)
    between = "".join([element.text or "", *(child.tail or "" for child in element)])
    attributes = {str(key): str(value) for key, value in element.attrib.items() if not str(key).startswith(_SCHEMA_HINT)}
    return Markup(name.localname, line, attributes, between.strip(), children)


def _line(element: etree._Element) -> int:
    # The stubs leave its type open.
    line = cast("int | None", element.sourceline)
    return line or 0


# Where a schema may be found says nothing about a payment.
_SCHEMA_HINT: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
