"""Reads certificates from PEM texts."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

MOST_CHARACTERS: Final = 20_000


class UnreadablePem(ValueError):
    """A text that holds no certificate that can be read; the message says why."""


def read_certificates(pem: str, *, most_characters: int = MOST_CHARACTERS) -> list[x509.Certificate]:
    """Return the certificates of a text, at least one, their extensions parsed; raises `UnreadablePem`."""
    if len(pem) > most_characters:
        raise UnreadablePem(f"has {len(pem)} characters: at most {most_characters} are read")
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode("utf-8", "surrogatepass"))
        for certificate in certificates:
            # Extensions are parsed when first read: an unreadable one must be found here.
            certificate.extensions  # noqa: B018
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion) as error:
        raise UnreadablePem(f"no readable certificate in PEM: {error}") from error
    return certificates
