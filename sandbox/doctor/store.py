"""What the sandbox's database says of certificates and TPPs, as the doctor asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.ca.store import CertificateStore
from sandbox.tpps.store import SqlTppStore

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from sandbox.ca.model import CertificateRecord
    from sandbox.tpps.model import Tpp


class SqlArchive:
    """`sandbox.doctor.service.Archive` over an engine whose schema is current."""

    def __init__(self, engine: Engine) -> None:
        """Read through `engine`; nothing is written."""
        self._certificates = CertificateStore(engine)
        self._tpps = SqlTppStore(engine)

    def certificate(self, serial: str) -> CertificateRecord | None:
        """Return the record of a serial number in hex."""
        return self._certificates.get(serial)

    def tpp(self, authorisation_number: str) -> Tpp | None:
        """Return the TPP registered with this number; a certificate may hold a TPP's short name instead, which is none."""
        tpp = self._tpps.find(authorisation_number)
        return tpp if tpp is not None and str(tpp.authorisation_number) == authorisation_number else None
