"""Bounds a CRL by a look at lengths alone, before a parser makes objects of it (RFC 5280 §5.1).

What is parsed takes many times its octets: an issuer's name of 12 MB takes 600 MB and six seconds, whoever has signed it.
"""

from __future__ import annotations

from typing import Final

from gateway.trust.model import TrustRefusal

FIELD: Final = "crl"
MOST_BYTES: Final = 16 * 1024 * 1024
MOST_ENTRIES: Final = 300_000
MOST_ENTRY_BYTES: Final = 1_024
MOST_BESIDE_BYTES: Final = 64 * 1024  # names, extensions and signature: all but the entries
_SEQUENCE: Final = 0x30
_TIMES: Final = frozenset({0x17, 0x18})
_LONG_TAG: Final = 0x1F
_LONG_LENGTH: Final = 0x80
_MOST_LENGTH_OCTETS: Final = 4


def require_bounded(der: bytes) -> None:
    """Raise `TrustRefusal` for what is larger than any list that is taken; says nothing of what is well formed."""
    if len(der) > MOST_BYTES:
        raise TrustRefusal(FIELD, f"has {len(der)} bytes: at most {MOST_BYTES} are read")
    start, end = _entries(der)
    beside = len(der) - (end - start)
    if beside > MOST_BESIDE_BYTES:
        raise TrustRefusal(FIELD, f"has {beside} bytes beside its entries: at most {MOST_BESIDE_BYTES} are read")
    count = 0
    while start < end:
        _, _, following = _element(der, start)
        count += 1
        if following - start > MOST_ENTRY_BYTES:
            raise TrustRefusal(FIELD, f"its entry {count} has {following - start} bytes: at most {MOST_ENTRY_BYTES} are read")
        if count > MOST_ENTRIES:
            raise TrustRefusal(FIELD, f"has more than {MOST_ENTRIES} entries: leave out what has expired")
        start = following


def _entries(der: bytes) -> tuple[int, int]:
    """Return where the entries begin and end: in the first SEQUENCE after thisUpdate and nextUpdate, where there is one."""
    _, place, _ = _element(der, 0)
    _, place, end = _element(der, place)
    end, is_after_times = min(end, len(der)), False
    while place < end:
        tag, content, following = _element(der, place)
        if tag == _SEQUENCE and is_after_times:
            return content, following
        is_after_times = is_after_times or tag in _TIMES
        place = following
    return 0, 0


def _element(der: bytes, place: int) -> tuple[int, int, int]:
    """Return the tag of the element at a place, where its content begins, and where it ends; raises `TrustRefusal`."""
    try:
        tag, length, content = der[place], der[place + 1], place + 2
    except IndexError:
        raise _unreadable() from None
    if length >= _LONG_LENGTH:
        octets = length - _LONG_LENGTH
        length = int.from_bytes(der[content : content + octets], "big")
        content += octets
        if not 0 < octets <= _MOST_LENGTH_OCTETS:
            raise _unreadable()
    if tag & _LONG_TAG == _LONG_TAG or content + length > len(der):
        raise _unreadable()
    return tag, content, content + length


def _unreadable() -> TrustRefusal:
    return TrustRefusal(FIELD, "no readable CRL in DER (application/pkix-crl): its lengths don't fit together")
