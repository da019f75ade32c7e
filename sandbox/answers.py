"""Reading what a peer answers: the body where it said yes, one typed error where it said no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chassis.peers import PeerAnswer

_FIRST_REFUSAL = 400
_LONGEST_QUOTE = 300


class PeerRefused(RuntimeError):
    """A peer was reached and said no; `faults` are the fields that it names, each with what is wrong."""

    def __init__(self, peer: str, status: int, detail: str, *, faults: tuple[tuple[str, str], ...] = ()) -> None:
        """Name the peer, the HTTP status and what it said."""
        super().__init__(f"the {peer} service refused ({status}): {detail}")
        self.peer = peer
        self.status = status
        self.detail = detail
        self.faults = faults


def require_accepted(peer: str, response: PeerAnswer) -> dict[str, Any]:
    """Return the JSON object of an answer, empty where it has no body; raises `PeerRefused`."""
    document = _document(response)
    if response.status_code >= _FIRST_REFUSAL:
        detail = str(document.get("detail") or document.get("title") or response.text[:_LONGEST_QUOTE])
        raise PeerRefused(peer, response.status_code, detail, faults=tuple(_faults(document.get("errors"))))
    return document


def _faults(errors: object) -> Iterator[tuple[str, str]]:
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict) and "field" in error:
            yield str(error["field"]), str(error.get("problem", ""))


def _document(response: PeerAnswer) -> dict[str, Any]:
    try:
        document = orjson.loads(response.content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
