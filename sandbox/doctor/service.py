"""The doctor at work: reads a file's bytes, looks up what the sandbox knows of the certificate, examines it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sandbox.ca.model import serial_text
from sandbox.doctor.case import History, Surroundings, specimen_of
from sandbox.doctor.examination import examine
from sandbox.doctor.intake import read_presented

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography import x509

    from psd2.clock import Clock
    from sandbox.ca.model import CertificateRecord
    from sandbox.ca.profiles import AuthorityName
    from sandbox.doctor.case import Specimen
    from sandbox.doctor.model import Examination
    from sandbox.tpps.model import Tpp


class Archive(Protocol):
    """What a sandbox has written down."""

    def certificate(self, serial: str) -> CertificateRecord | None:
        """Return the record of a serial number in hex."""

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP registered with this number."""


class Doctor:
    """Examines certificates; without `authorities` or `archive` it says what it could not look at."""

    def __init__(
        self, *, clock: Clock, authorities: Mapping[AuthorityName, x509.Certificate] | None, archive: Archive | None
    ) -> None:
        """Work with these."""
        self._clock = clock
        self._authorities = authorities
        self._archive = archive

    def examine(self, data: bytes, *, numbers: frozenset[str] | None = None) -> Examination:
        """Examine a certificate in PEM or DER, or the leaf of a bundle. Raises NotExaminable.

        Where `numbers` are given, the archive tells of these authorisation numbers only: whoever examines is not to learn by a
        certificate made up for it who else is registered, and how.
        """
        presented = read_presented(data)
        specimen = specimen_of(presented.leaf)
        surroundings = Surroundings(authorities=self._authorities, history=self._history(specimen, numbers))
        return examine(presented, specimen, surroundings=surroundings, now=self._clock.now())

    def _history(self, specimen: Specimen, numbers: frozenset[str] | None) -> History | None:
        if self._archive is None:
            return None
        record = self._archive.certificate(serial_text(specimen.certificate.serial_number))
        if record is not None and record.sha256 != specimen.sha256:
            record = None  # a serial number is easily copied
        number = specimen.psd2.authorisation_number if specimen.psd2 else None
        if numbers is not None and numbers.isdisjoint({number, record.authorisation_number if record else None}):
            return None
        return History(record=record, tpp=self._archive.tpp(number) if number else None)
