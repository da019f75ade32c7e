"""How an internal server tells the edge why it has refused, for the request log: one bounded header of plain ASCII.

The edge records it and takes it out of the answer (docs/architecture.md §3.1). The value is base64 of a JSON object, so that
no text in it can end a header line.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import asdict, dataclass
from typing import Final

HEADER: Final = "X-Sandbox-Refusal"
_MOST_REASON, _MOST_TEXT = 64, 400
_MOST_HEADER_BYTES: Final = 6_000
_REASON = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")


class UnreadableRefusal(ValueError):
    """A header that no server of ours writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRefusal:
    """Why a service refused, in words that may stand in the log: never a value out of the request's body."""

    reason: str
    text: str
    hint: str
    clause: str


def refusal_header(refusal: ToldRefusal) -> str:
    """Return the header's value; texts too long for the log are cut."""
    fields = {name: value[:_MOST_TEXT] for name, value in asdict(refusal).items()}
    return base64.b64encode(json.dumps(fields).encode("ascii")).decode("ascii")


def read_refusal_header(value: bytes) -> ToldRefusal:
    """Read a header's value; raises `UnreadableRefusal`."""
    if len(value) > _MOST_HEADER_BYTES:
        raise UnreadableRefusal(f"{len(value)} bytes, at most {_MOST_HEADER_BYTES} are read")
    try:
        document = json.loads(base64.b64decode(value, validate=True))
        refusal = ToldRefusal(**document)
    except (binascii.Error, ValueError, TypeError) as error:
        raise UnreadableRefusal(f"no base64 of the JSON object that is expected: {error}") from error
    if not all(isinstance(text, str) and len(text) <= _MOST_TEXT and _is_one_line(text) for text in asdict(refusal).values()):
        raise UnreadableRefusal(f"a field is no single line of at most {_MOST_TEXT} characters")
    if not _REASON.fullmatch(refusal.reason[: _MOST_REASON + 1]) or len(refusal.reason) > _MOST_REASON:
        raise UnreadableRefusal("the reason is no dotted name")
    return refusal


def _is_one_line(text: str) -> bool:
    return not any(ord(character) < ord(" ") or ord(character) == 0x7F for character in text)  # noqa: PLR2004 - DEL
