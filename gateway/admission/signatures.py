"""The signature of a request, on one page: whose seal, over what, how old, and whether it is right (BG IG 1.3.8 §4.2, §12).

Each line is a check that raises; its order decides which of several faults is named.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from gateway.admission.refusal import Refusal
from gateway.admission.request import Leaf
from gateway.policies.model import SignatureRule
from gateway.trust.verdict import Distrust, Distrusted
from psd2.digests import UnknownDigest, WrongDigest, require_digest
from psd2.http_signatures import (
    REQUEST_TARGET,
    KeyMismatch,
    MalformedSignature,
    MissingField,
    SignatureAlgorithm,
    SignatureHeader,
    WrongSignature,
    signing_string,
    verify,
)
from psd2.key_ids import WrongKeyId, require_key_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gateway.admission.request import Request
    from gateway.register.model import Tpp
    from gateway.trust.judgement import Judge
    from psd2.certificates import Psd2Certificate

_SIGNATURE, _DIGEST, _CERTIFICATE = "signature", "digest", "tpp-signature-certificate"
# BG IG §12.2: always, and those that the request has.
_ALWAYS_COVERED: Final = (_DIGEST, "x-request-id")
_COVERED_IF_THERE: Final = ("psu-id", "psu-corporate-id", "tpp-redirect-uri")
_MOST_CERTIFICATE_CHARACTERS: Final = 16_000
_PEM_BEGIN, _PEM_END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_REASONS: Final = {
    Distrust.MALFORMED: "signature.certificate_malformed",
    Distrust.BLOCKED: "signature.certificate_blocked",
    Distrust.UNTRUSTED: "signature.certificate_untrusted",
    Distrust.CHAIN: "signature.certificate_untrusted",
    Distrust.EXPIRED: "signature.certificate_expired",
    Distrust.NOT_YET_VALID: "signature.certificate_not_yet_valid",
    Distrust.REVOKED: "signature.certificate_revoked",
    Distrust.REVOCATION_UNKNOWN: "signature.certificate_status_unknown",
    Distrust.NOT_A_QSEALC: "signature.not_a_seal",
}


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that bears a signature: its head as it came, names in small letters, and the whole body."""

    request: Request
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What was found: `seal` as soon as a certificate could be read, `refusal` None for a valid signature."""

    seal: Leaf | None
    refusal: Refusal | None


def has_seal_to_judge(rule: SignatureRule, *, bears_seal: bool) -> bool:
    """Answer whether a request's seal is to be judged; raises `Refusal` where its route demands one and there is none."""
    if rule is SignatureRule.REQUIRED and not bears_seal:
        raise Refusal("signature.missing")
    return bears_seal and rule is not SignatureRule.OFF


def require_demanded(rule: SignatureRule, verdict: SignatureVerdict) -> None:
    """Raise the `Refusal` of a signature that is no good where the route demands a good one; else the upstream is told."""
    if rule is SignatureRule.REQUIRED and verdict.refusal is not None:
        raise verdict.refusal


def judged_signature(
    signed: SignedRequest, tpp: Tpp | None, judge: Judge, *, now: float, longest_age: float
) -> SignatureVerdict:
    """Return the verdict; times are epoch seconds, `longest_age` is how far Date may be from `now`."""
    values = _values(signed)
    seal: Leaf | None = None
    try:
        header = _header(values)
        algorithm = _algorithm(header)
        seal = _presented_seal(values)
        certificate = _trusted_seal(seal, judge, now)
        _require_same_tpp(certificate, tpp)
        _require_key_id(header, certificate)
        _require_covered(header, values)
        _require_recent(values, now, longest_age)
        _require_digest(values, signed.body)
        _require_signed(header, algorithm, values, certificate)
    except Refusal as refusal:
        return SignatureVerdict(seal, refusal)
    return SignatureVerdict(seal, None)


def _values(signed: SignedRequest) -> dict[str, list[str]]:
    request = signed.request
    target = request.path + (f"?{request.query.decode('latin-1')}" if request.query else "")
    values = {REQUEST_TARGET: [f"{request.method.lower()} {target}"]}
    for name, value in signed.headers:
        values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return values


def _header(values: Mapping[str, Sequence[str]]) -> SignatureHeader:
    if _SIGNATURE not in values:
        present = " and ".join(name for name in (_DIGEST, _CERTIFICATE) if name in values)
        raise Refusal("signature.missing", public_text=f"There is {present}, and no Signature: they go together.")
    try:
        return SignatureHeader.parse(_only(values, _SIGNATURE))
    except MalformedSignature as error:
        raise Refusal("signature.malformed", public_text=f"The Signature header can't be read: {error}.") from error


def _only(values: Mapping[str, Sequence[str]], name: str) -> str:
    """Return the value of a header that may stand there once: of two, two programs could read two."""
    given = values[name]
    if len(given) != 1:
        raise Refusal("signature.malformed", public_text=f"The header {name} is there {len(given)} times.")
    return given[0]


def _algorithm(header: SignatureHeader) -> SignatureAlgorithm:
    try:
        return SignatureAlgorithm(header.algorithm.lower())
    except ValueError:
        known = ", ".join(SignatureAlgorithm)
        text = f"The signature's algorithm is {header.algorithm[:40]}; taken are {known}."
        raise Refusal("signature.algorithm", public_text=text) from None


def _presented_seal(values: Mapping[str, Sequence[str]]) -> Leaf:
    if _CERTIFICATE not in values:
        raise Refusal("signature.certificate_missing")
    text = _only(values, _CERTIFICATE).strip()
    # Some programs send PEM with its line ends taken out.
    encoded = text.removeprefix(_PEM_BEGIN).partition(_PEM_END)[0].replace(" ", "")
    try:
        if len(text) > _MOST_CERTIFICATE_CHARACTERS:
            raise Refusal("signature.certificate_malformed", f"{len(text)} characters")
        return Leaf(base64.b64decode(encoded, validate=True))
    except binascii.Error as error:
        raise Refusal("signature.certificate_malformed", "no base64") from error


def _trusted_seal(seal: Leaf, judge: Judge, now: float) -> Psd2Certificate:
    try:
        return judge.require_trusted_seal(seal.der, digest=seal.digest, now=now).certificate
    except Distrusted as error:
        raise Refusal(_REASONS[error.distrust], str(error)) from error


def _require_same_tpp(seal: Psd2Certificate, tpp: Tpp | None) -> None:
    if tpp is None or seal.authorisation_number != tpp.authorisation_number:
        raise Refusal("signature.other_tpp", f"the seal is {seal.authorisation_number}'s")


def _require_key_id(header: SignatureHeader, seal: Psd2Certificate) -> None:
    try:
        require_key_id(header.key_id, seal)
    except WrongKeyId as error:
        raise Refusal("signature.key_id", public_text=f"The signature's keyId does not fit: {error}.") from error


def _require_covered(header: SignatureHeader, values: Mapping[str, Sequence[str]]) -> None:
    """Raise unless everything is signed that must be: what is not signed, somebody on the way may have changed."""
    for name in (_DIGEST, "x-request-id"):
        if name not in values:
            raise Refusal(
                "signature.digest_missing" if name == _DIGEST else "signature.headers",
                public_text=f"The request has no {name}, which is to be signed.",
            )
    wanted = (*_ALWAYS_COVERED, *(name for name in _COVERED_IF_THERE if name in values))
    unsigned = [name for name in wanted if name not in header.fields]
    if unsigned:
        raise Refusal("signature.headers", public_text=f"The signature does not cover {', '.join(unsigned)}.")
    absent = [name for name in header.fields if name not in values]
    if absent:
        text = f"The signature covers {', '.join(absent)[:200]}, which the request does not have."
        raise Refusal("signature.headers", public_text=text)


def _require_recent(values: Mapping[str, Sequence[str]], now: float, longest_age: float) -> None:
    """Raise for a Date far from now: a request that was kept is sent again, or a clock is wrong."""
    if "date" not in values:
        return
    at = _date(_only(values, "date"))
    age = now - at.timestamp()
    if abs(age) > longest_age:
        direction = "ago" if age > 0 else "ahead"
        text = f"The request's Date is {abs(age):.0f} seconds {direction}; at most {longest_age:.0f} are taken."
        raise Refusal("signature.date", public_text=text)


def _date(text: str) -> datetime:
    try:
        at = parsedate_to_datetime(text)
    except ValueError as error:
        raise Refusal("signature.date", public_text="The request's Date can't be read.") from error
    if at.tzinfo is None:
        raise Refusal("signature.date", public_text="The request's Date has no time zone: write GMT.")
    return at


def _require_digest(values: Mapping[str, Sequence[str]], body: bytes) -> None:
    try:
        require_digest(_only(values, _DIGEST), body)
    except UnknownDigest as error:
        raise Refusal("signature.digest_algorithm", public_text=f"The Digest header does not help: {error}.") from error
    except WrongDigest as error:
        detail = f"{len(body)} bytes with SHA-256 {hashlib.sha256(body).hexdigest()}"
        raise Refusal("signature.digest_mismatch", detail) from error


def _require_signed(
    header: SignatureHeader, algorithm: SignatureAlgorithm, values: Mapping[str, Sequence[str]], seal: Psd2Certificate
) -> None:
    try:
        verify(seal.x509.public_key(), algorithm, signing_string(header.fields, values), header.signature)
    except KeyMismatch as error:
        raise Refusal("signature.algorithm", public_text=f"Algorithm and certificate differ: {error}.") from error
    except (WrongSignature, MissingField) as error:
        raise Refusal("signature.invalid", f"signed are {' '.join(header.fields)}") from error
