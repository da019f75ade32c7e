"""What a caller of `POST /explain` asks: a request that it would send, read strictly."""

# Not `from __future__ import annotations`: pydantic reads the types of the fields while the class is made.
import re
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import AfterValidator, Field, StringConstraints, ValidationError

from gateway.admission.refusal import Refusal
from gateway.configuration.bodies import DocumentBody, field_path

MOST_BODY_BYTES: Final = 256 * 1024
_MOST_HEADERS: Final = 50
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]{0,8000}")
# Said by the request that asks, so that nobody has to write a token into a document.
_OWN: Final = frozenset({"authorization", "host", "content-length", "transfer-encoding", "connection"})


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            msg = f"{name[:40]!r} is no header field that a request can have"
            raise ValueError(msg)
        if name.lower() in _OWN:
            msg = f"{name.lower()} is taken from the request that asks: send it there"
            raise ValueError(msg)
    lowered = {name.lower(): value for name, value in headers.items()}
    if len(lowered) < len(headers):
        msg = "a name is there twice, in other letters' case"
        raise ValueError(msg)
    return lowered


def _certificate(pem: str) -> str:
    if "-----BEGIN CERTIFICATE-----" not in pem or "PRIVATE KEY" in pem:
        msg = "is no certificate in PEM: paste it from -----BEGIN CERTIFICATE----- on, and never a private key"
        raise ValueError(msg)
    return pem


_Headers = Annotated[dict[str, str], Field(max_length=_MOST_HEADERS), AfterValidator(_headers)]
_Pem = Annotated[str, StringConstraints(max_length=20_000), AfterValidator(_certificate)]


class ExplainBody(DocumentBody):
    """The body of `POST /explain`."""

    method: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,16}$", max_length=16)]
    path: Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=8_000)]
    headers: _Headers = Field(default_factory=dict)
    body: Annotated[str, StringConstraints(max_length=100_000)] = ""
    certificate: _Pem | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """The request in question. `der` is the certificate to judge instead of the caller's own, if there is one."""

    method: str
    path: str
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    der: bytes | None


def read_asked(body: bytes) -> Asked:
    """Return what is asked; raises `Refusal`, naming every field at fault."""
    try:
        read = ExplainBody.model_validate_json(body)
    except ValidationError as error:
        raise _unreadable(error) from error
    return asked_of(read)


def asked_of(read: ExplainBody) -> Asked:
    """Return the request that a body describes; raises `Refusal` for a certificate that can't be read."""
    path, _, query = read.path.partition("?")
    return Asked(
        method=read.method,
        path=path,
        query=query.encode("ascii"),
        headers=tuple((name.encode("ascii"), value.encode("latin-1")) for name, value in read.headers.items()),
        body=read.body.encode(),
        der=_der(read.certificate) if read.certificate is not None else None,
    )


def _der(pem: str) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    except ValueError as error:
        text = "certificate: no X.509 certificate can be read from it; the first of a bundle is the one that is judged."
        raise Refusal("explain.body", str(error), public_text=text) from error


def _unreadable(error: ValidationError) -> Refusal:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    told = "; ".join(f"{field_path(fault['loc'])}: {fault['msg'].removeprefix('Value error, ')}" for fault in faults[:10])
    return Refusal("explain.body", told[:500], public_text=f"The question can't be read: {told}."[:2_000])
