"""Authorisation numbers as organizationIdentifier carries them (TS 119 495 §5.2.1, EN 319 412-1 §5.1.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass

# 3 characters `PSD`, ISO 3166 country, hyphen, 2 to 8 letters of the NCA, hyphen, the identifier the NCA gave.
_FORM = re.compile(r"PSD(?P<country>[A-Z]{2})-(?P<nca>[A-Z]{2,8})-(?P<identifier>[0-9A-Za-z][0-9A-Za-z.\-_/]{0,39})", re.ASCII)


class InvalidAuthorisationNumber(ValueError):
    """A text that is no PSD2 authorisation number; the message says which part is wrong."""


@dataclass(frozen=True, slots=True)
class AuthorisationNumber:
    """`PSDDE-BAFIN-123456`: country `DE`, NCA `BAFIN`, identifier `123456`."""

    country: str
    nca: str
    identifier: str

    @staticmethod
    def parse(text: str) -> AuthorisationNumber:
        """Read an authorisation number; raises `InvalidAuthorisationNumber`."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise InvalidAuthorisationNumber(_fault(text))
        return AuthorisationNumber(**match.groupdict())

    @property
    def nca_id(self) -> str:
        """The NCA as QCStatements write it: `DE-BAFIN`."""
        return f"{self.country}-{self.nca}"

    def __str__(self) -> str:
        """Write the number as it stands in a certificate."""
        return f"PSD{self.country}-{self.nca}-{self.identifier}"


def _fault(text: str) -> str:
    right = "write it as PSD, country, hyphen, NCA, hyphen, identifier, for example PSDDE-BAFIN-123456"
    shown = text[:80]
    if not text.startswith("PSD"):
        return f"authorisation number {shown!r} does not start with PSD: {right}"
    parts = text.split("-", 2)
    if len(parts) < 3:  # noqa: PLR2004 - the three parts of the form
        return f"authorisation number {shown!r} has {len(parts)} of the 3 parts parted by hyphens: {right}"
    if not re.fullmatch(r"PSD[A-Z]{2}", parts[0]):
        return f"authorisation number {shown!r}: {parts[0][3:43]!r} is no two-letter country code in capitals: {right}"
    if not re.fullmatch(r"[A-Z]{2,8}", parts[1]):
        return f"authorisation number {shown!r}: {parts[1][:40]!r} is no NCA of 2 to 8 capital letters: {right}"
    return f"authorisation number {shown!r}: {parts[2][:80]!r} is no identifier of 1 to 40 letters, digits or .-_/: {right}"
