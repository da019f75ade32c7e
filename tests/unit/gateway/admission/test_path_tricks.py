"""What the edge lets through a route, no upstream takes for another's, however carelessly it reads paths."""

from __future__ import annotations

import posixpath
import re
from itertools import combinations
from typing import TYPE_CHECKING
from unicodedata import normalize
from urllib.parse import unquote

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.admission.refusal import Refusal
from gateway.admission.routes import matched_route
from gateway.admission.targets import require_plain_target
from gateway.policies.matching import RouteTable
from tests.support.admission import asking
from tests.support.deployments import deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPEN, GUARDED = "/public/**", ("/public/admin", "/admin/{x}", "/admin")
ROUTES = RouteTable(
    deployment(
        {"path": OPEN, "methods": ["GET"], "mtls": "off"}, *[{"path": path, "methods": ["GET"]} for path in GUARDED]
    ).routes
)
PIECES = st.sampled_from(
    [
        "public",
        "admin",
        "Admin",
        "PUBLIC",
        "x",
        ".",
        "..",
        "...",
        "/",
        "//",
        "\\",
        ";",
        ";v=1",
        "?",
        "#",
        "%",
        " ",
        "\t",
        "\x00",
        "%2e",
        "%2E",
        "%2f",
        "%2F",
        "%5c",
        "%3b",
        "%00",
        "%20",
        "%25",
        "%252e",
        "%252f",
        "%61",
        "%41",
        "%c0%ae",
        "%c0%af",
        "%ff",
        "%EF%BC%8E",
        "%EF%BC%8F",
        "%E2%84%AA",
        "%C3%A9",
        "~",
        "*",
        "%2a",
        ":",
        "@",
        ",",
    ]
)


def _without_parameters(path: str) -> str:
    return re.sub(r";[^/]*", "", path)


def _resolved(path: str) -> str:
    resolved = posixpath.normpath(path)
    return resolved + "/" if path.endswith("/") and resolved != "/" else resolved


def _overlong(path: str) -> str:
    return re.sub(r"%c0%a([ef])", lambda match: {"e": ".", "f": "/"}[match[1].lower()], path, flags=re.IGNORECASE)


# What servers have been seen to do to a path before they look for its resource, in an order in which each can follow.
READINGS: tuple[Callable[[str], str], ...] = (
    _overlong,
    unquote,
    unquote,
    lambda path: path.partition("\x00")[0],
    lambda path: path.replace("\\", "/"),
    _without_parameters,
    lambda path: re.sub("/+", "/", path),
    _resolved,
    lambda path: normalize("NFKC", path),
    str.lower,
    lambda path: re.sub(r"[. ]+(?=/|$)", "", path),
    lambda path: path.rstrip("/") or "/",
)


def readings(path: str) -> Iterator[str]:
    """Give what the path becomes for servers that do any three of these, and for one that does them all."""
    for chosen in (*combinations(READINGS, 3), READINGS):
        read = path
        for step in chosen:
            read = step(read)
        yield read


def guarded(path: str) -> bool:
    """Whether an upstream that has read the path so serves what is guarded."""
    return path in {"/public/admin", "/admin"} or re.fullmatch(r"/admin/[^/]+", path) is not None


@settings(max_examples=250, deadline=None)
@given(pieces=st.lists(PIECES, min_size=1, max_size=6), prefix=st.sampled_from(["/", "/public/", "/public", "/admin/", ""]))
@example(pieces=["admin", "%20"], prefix="/public/")
@example(pieces=["admin", "."], prefix="/public/")
@example(pieces=["admin", ".", "/"], prefix="/public/")
@example(pieces=["..", "/", "admin"], prefix="/public/")
@example(pieces=["Admin"], prefix="/public/")
@example(pieces=["admin", "/"], prefix="/public/")
@example(pieces=["%2e", "%2e", "/", "admin"], prefix="/public/")
def test_no_careless_reading_leads_from_an_open_route_to_a_guarded_resource(pieces: list[str], prefix: str) -> None:
    """Whatever stands in the path: what the open route takes is nobody's way to the others'."""
    path = prefix + "".join(pieces)
    try:
        require_plain_target(path, b"")
        route = matched_route(asking(path), ROUTES)
    except Refusal:
        return
    if route.template == OPEN:
        assert not [read for read in readings(path) if guarded(read)]
