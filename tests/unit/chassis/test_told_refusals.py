"""What a service tells the edge of its refusal: one line of ASCII, bounded, and believed in its own form only."""

from __future__ import annotations

import base64
import json

import pytest

from chassis.told.refusals import ToldRefusal, UnreadableRefusal, read_refusal_header, refusal_header

REFUSAL = ToldRefusal(reason="consent.expired", text="The consent has expired.", hint="Make a new one…", clause="BG IG §14.11")


def written(**changes: object) -> bytes:
    fields = {"reason": "consent.expired", "text": "t", "hint": "h", "clause": "c"} | changes
    return base64.b64encode(json.dumps({name: value for name, value in fields.items() if value is not None}).encode())


def test_what_is_written_is_read() -> None:
    """In any script."""
    assert read_refusal_header(refusal_header(REFUSAL).encode()) == REFUSAL


def test_no_text_can_end_the_header_line() -> None:
    """Whatever somebody got into a text."""
    forged = ToldRefusal(reason="consent.expired", text="x\r\nSet-Cookie: a=b", hint="h\n", clause="c\0")

    header = refusal_header(forged)

    assert header.isascii()
    assert header.isprintable()
    with pytest.raises(UnreadableRefusal):
        read_refusal_header(header.encode())


def test_long_texts_are_cut() -> None:
    """A header has a limit, and so has a record."""
    header = refusal_header(ToldRefusal(reason="r", text="€" * 10_000, hint="h" * 10_000, clause="c"))

    assert len(header) < 6_000
    assert len(read_refusal_header(header.encode()).text) == 400


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"consent.expired",
        b"x" * 6_001,
        base64.b64encode(b"[]"),
        base64.b64encode(b"\xff"),
        written(reason="Consent Expired"),
        written(reason="a" * 65),
        written(reason=""),
        written(text=None),
        written(text=7),
        written(extra="x"),
        written(hint="a\nb"),
        written(hint="x" * 401),
        written() + b"\r\n",
    ],
)
def test_anything_else_is_not_believed(value: bytes) -> None:
    """A record holds what our own servers say, or nothing."""
    with pytest.raises(UnreadableRefusal):
        read_refusal_header(value)
