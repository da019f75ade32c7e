"""Commands that make right keys for a TPP, ready to be pasted: with a signing request, or with a JWK Set to register."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
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


def signing_key_command() -> str:
    """Return lines, for a POSIX shell, that make `client.key` (EC P-256) and print the JWK Set of its public half."""
    return """\
umask 077; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out client.key
url64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
point() { openssl pkey -in client.key -pubout -outform DER | tail -c 64; }
x=$(point | head -c 32 | url64); y=$(point | tail -c 32 | url64)
kid=$(printf '{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}' "$x" "$y" | openssl dgst -sha256 -binary | url64)
printf '{"keys":[{"kty":"EC","crv":"P-256","x":"%s","y":"%s","kid":"%s","alg":"ES256","use":"sig"}]}\\n' "$x" "$y" "$kid"
"""


def certificate_command() -> str:
    """Return lines that make `client.crt` of that key, and print the JWK Set with it; they go on from the lines before."""
    return """\
openssl req -x509 -new -sha256 -key client.key -subj /CN=client -days 730 -addext extendedKeyUsage=clientAuth -out client.crt
x5c=$(openssl x509 -in client.crt -outform DER | openssl base64 -A)
printf '{"keys":[{"kty":"EC","crv":"P-256","x":"%s","y":"%s","kid":"%s","alg":"ES256","use":"sig","x5c":["%s"]}]}\\n' \\
  "$x" "$y" "$kid" "$x5c"
"""


@dataclass(frozen=True, slots=True)
class KeyCommands:
    """The lines that make a client's key, and those that then make its certificate."""

    key: str = field(default_factory=signing_key_command)
    certificate: str = field(default_factory=certificate_command)


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
