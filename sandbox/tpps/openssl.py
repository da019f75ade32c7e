"""The command that makes a right key and signing request for a TPP, ready to be pasted."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sandbox.tpps.subjects import domain_of

if TYPE_CHECKING:
    from sandbox.ca.model import TppCertificateKind
    from sandbox.tpps.model import Tpp


def signing_request_command(tpp: Tpp, kind: TppCertificateKind) -> str:
    """Return the command line, for a POSIX shell; the key is made readable for its owner alone."""
    arguments = (
        *("openssl", "req", "-new", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", f"{kind}.key", "-out", f"{kind}.csr", "-subj", _subject(tpp)),
    )
    return f"umask 077; {shlex.join(arguments)}"


def _subject(tpp: Tpp) -> str:
    number = tpp.authorisation_number
    attributes = {
        "C": number.country,
        "O": tpp.organisation,
        "organizationIdentifier": str(number),
        "CN": domain_of(tpp.name),
    }
    return "".join(f"/{name}={_escaped(value)}" for name, value in attributes.items())


def _escaped(value: str) -> str:
    """Keep what has a meaning in -subj from having it (openssl-req(1))."""
    return "".join(f"\\{each}" if each in "/+\\=" else each for each in value)
