"""What else the file holds: the rest of a bundle, and a private key where it should not be (RFC 8446 §4.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.doctor.case import UNREADABLE, has_issued
from sandbox.doctor.intake import is_authority
from sandbox.doctor.model import Field, Finding, FindingCode, Level
from sandbox.doctor.words import name_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from sandbox.doctor.intake import Presented


def bundle_findings(presented: Presented) -> Iterator[Finding]:
    """Yield what would keep the file from being used as it is."""
    if presented.holds_private_key:
        yield Finding(
            code=FindingCode.PRIVATE_KEY,
            level=Level.NOTE,
            text="the file holds a private key as well, of which nothing is shown",
            remedy="the key in a file of its own, readable by you alone (mode 0600), so that the certificate can be handed on",
        )
    if presented.place > 1:
        yield Finding(
            code=FindingCode.ORDER,
            level=Level.DEPARTURE,
            text=f"it stands at place {presented.place} of the file: a TLS client presents the first certificate, "
            "and finds that the key does not fit",
            remedy="the certificate first, then the authority that issued it",
            clause="RFC 8446 §4.4.2",
        )


def companions(presented: Presented) -> tuple[Field, ...]:
    """Describe the other certificates of the file."""
    return tuple(
        Field(f"certificate {place + (place >= presented.place)}", (_subject(each),), _relation(each, presented.leaf))
        for place, each in enumerate(presented.others, start=1)
    )


def _subject(certificate: x509.Certificate) -> str:
    try:
        return name_text(certificate.subject)
    except UNREADABLE:
        return "its name can't be read"


def _relation(certificate: x509.Certificate, leaf: x509.Certificate) -> str:
    try:
        if has_issued(certificate, leaf):
            return "the authority that issued it"
        if not is_authority(certificate):
            return "another certificate that is no authority's: explain it by itself"
        if has_issued(certificate, certificate):
            return "a root: the other side has it already, or does not trust it"
    except UNREADABLE:
        return "can't be read"
    return "an authority that has not issued it"
