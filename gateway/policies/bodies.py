"""What a document of the kind `deployments` may say, field by field; what it means together is read in `documents`."""

# Not `from __future__ import annotations`: pydantic reads the types of the fields while the classes are made.
import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from gateway.configuration.bodies import DocumentBody
from gateway.dpop.rule import NonceRule
from gateway.limits.bodies import LimitBody
from gateway.plans.bodies import PlanRuleBody
from gateway.policies.model import (
    ErrorStyle,
    InvalidCertificate,
    Listener,
    MutualTls,
    ResponseSignatureRule,
    SelfSigned,
    SignatureRule,
    TokenBinding,
    TokenRule,
)
from gateway.policies.names import NamePattern
from gateway.policies.networks import read_network
from psd2.roles import PspRole

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MOST_ROUTES: Final = 5_000
MOST_NAMES: Final = 10  # of each list, as in OCI
MOST_SEGMENTS: Final = 32
MOST_BODY_BYTES: Final = 16 * 1024 * 1024
KEY_USAGES: Final = {
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
}
_LITERAL = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+"
_PREFIX = re.compile(rf"(?:/{_LITERAL})*")
_PATH = re.compile(rf"/|(?:/(?:{_LITERAL}|\{{[a-z_]{{1,40}}\}}))+(?:/\*\*)?|/\*\*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_OID = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]{0,15})){1,20}")


def _prefix(text: str) -> str:
    if not _PREFIX.fullmatch(text):
        msg = "write segments of letters, digits and . _ ~ - like /v1/accounts, without a slash at the end"
        raise ValueError(msg)
    return text


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        msg = "write it like /v1/accounts/{account} or /static/**: plain segments, {name} for one, ** only at the end"
        raise ValueError(msg)
    names = re.findall(r"\{([a-z_]+)\}", text)
    if len(set(names)) < len(names):
        msg = "names a placeholder twice: give each its own name"
        raise ValueError(msg)
    return text


def _method(text: str) -> str:
    if text not in METHODS:
        msg = f"write one of {', '.join(METHODS)}"
        raise ValueError(msg)
    return text


def _sha256(text: str) -> str:
    plain = text.replace(":", "").lower()
    if not _SHA256.fullmatch(plain):
        msg = "write the SHA-256 of the certificate's DER: 64 hex digits"
        raise ValueError(msg)
    return plain


def _pattern(text: str) -> str:
    NamePattern.parse(text)
    return text


def _network(text: str) -> str:
    try:
        return str(read_network(text))
    except ValueError as error:
        msg = f"{error}: write a network like 192.0.2.0/24 or 2001:db8::/32, or one address"
        raise ValueError(msg) from error


def _key_usage(text: str) -> str:
    if text not in KEY_USAGES and not _OID.fullmatch(text):
        msg = f"write one of {', '.join(KEY_USAGES)}, or a dotted object identifier"
        raise ValueError(msg)
    return KEY_USAGES.get(text, text)


_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
_Names = Annotated[list[Annotated[str, AfterValidator(_pattern)]], Field(max_length=MOST_NAMES)]
_Networks = Annotated[list[Annotated[str, AfterValidator(_network)]], Field(max_length=1_000)]
_Seconds = Annotated[float, Field(ge=1, le=600)]


class IpRulesBody(DocumentBody):
    """Networks or addresses, IPv4 and IPv6; what is denied is denied even where it is allowed too."""

    allow: _Networks = Field(default_factory=list)
    deny: _Networks = Field(default_factory=list)


class DeadlinesBody(DocumentBody):
    """How long the upstream may take, where that is not what the upstream itself says."""

    head_seconds: Annotated[_Seconds | None, Field(description="until the head of its answer")] = None
    stall_seconds: Annotated[_Seconds | None, Field(description="between two pieces of its answer")] = None


class PolicyBody(DocumentBody):
    """What a request must bring. A route's word goes before its deployment's; an empty list lifts what the deployment asks."""

    upstream: Annotated[_Name | None, Field(description="name of the upstream that requests go to")] = None
    errors: Annotated[ErrorStyle | None, Field(description="how refusals look; otherwise `problem`")] = None
    mtls: Annotated[MutualTls | None, Field(description="whether a client certificate is wanted")] = None
    invalid_certificate: Annotated[
        InvalidCertificate | None, Field(description="what becomes of one that is optional, presented and no good")
    ] = None
    self_signed: Annotated[
        SelfSigned | None, Field(description="whether a self-signed one is taken that a client has registered; otherwise `off`")
    ] = None
    trust_store: Annotated[_Name | None, Field(description="whose CAs certificates are judged by; otherwise `tpp`")] = None
    allowed_sans: Annotated[
        _Names | None, Field(description="one of them must match a subject alternative name (DNS, e-mail, URI, IP)")
    ] = None
    allowed_cns: Annotated[_Names | None, Field(description="one of them must match the subject's common name")] = None
    allowed_certificates: Annotated[
        list[Annotated[str, AfterValidator(_sha256)]] | None,
        Field(max_length=1_000, description="SHA-256 of the certificates that may call, no others"),
    ] = None
    allowed_issuers: Annotated[
        list[Annotated[str, AfterValidator(_sha256)]] | None,
        Field(max_length=100, description="SHA-256 of CA certificates, one of which must stand in the chain"),
    ] = None
    max_chain_depth: Annotated[
        int | None, Field(ge=1, le=4, description="most CAs above the certificate; 1: issued by a trust anchor itself")
    ] = None
    extended_key_usages: Annotated[
        list[Annotated[str, AfterValidator(_key_usage)]] | None,
        Field(max_length=10, description="which the certificate must all have, by name or object identifier"),
    ] = None
    roles: Annotated[list[PspRole] | None, Field(max_length=4, description="PSD2 roles, one of which is needed")] = None
    token: Annotated[TokenRule | None, Field(description="otherwise `required` where there are scopes, else `off`")] = None
    scopes: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z_]{0,39}$")]] | None,
        Field(max_length=10, description="one of which the token must hold: AIS admits AIS:<consentId>, small letters a value"),
    ] = None
    token_binding: Annotated[
        TokenBinding | None, Field(description="whether tokens must be bound to the certificate; otherwise `required`")
    ] = None
    dpop_nonce: Annotated[
        NonceRule | None,
        Field(description="whether proofs of possession (DPoP) must hold a nonce; otherwise as GATEWAY_DPOP_NONCE says"),
    ] = None
    signature: Annotated[
        SignatureRule | None,
        Field(description="whether requests must be signed with a TPP's seal (Berlin Group); otherwise `off`"),
    ] = None
    message_signatures: Annotated[
        SignatureRule | None,
        Field(description="whether requests must be signed by the token's client (RFC 9421, FAPI 2.0); otherwise `off`"),
    ] = None
    response_signatures: Annotated[
        ResponseSignatureRule | None, Field(description="whether answers are signed (RFC 9421, FAPI 2.0); otherwise `off`")
    ] = None
    plan: PlanRuleBody | None = None
    limits: Annotated[list[LimitBody] | None, Field(max_length=10, description="how often requests may come, by key")] = None
    ip_rules: IpRulesBody | None = None
    deadlines: DeadlinesBody | None = None
    max_body_bytes: Annotated[int | None, Field(ge=1, le=MOST_BODY_BYTES, description="instead of GATEWAY_MAX_BODY_BYTES")] = (
        None
    )


class RouteBody(PolicyBody):
    """A path with its methods, and what it asks beside or instead of what the deployment does."""

    path: Annotated[str, StringConstraints(max_length=500), AfterValidator(_path), Field(description="after the prefix")]
    methods: Annotated[list[Annotated[str, AfterValidator(_method)]], Field(min_length=1, max_length=len(METHODS))]


class DeploymentBody(PolicyBody):
    """An API at the edge: a path prefix, its routes, and what is asked of requests."""

    description: Annotated[str, StringConstraints(max_length=500)] = ""
    listener: Annotated[Listener, Field(description="the public address it is served at")]
    path_prefix: Annotated[
        str,
        StringConstraints(max_length=200),
        AfterValidator(_prefix),
        Field(description="stands before the paths of all routes, and belongs to this deployment alone"),
    ] = ""
    mtls: Annotated[MutualTls, Field(description="whether a client certificate is wanted")]
    routes: Annotated[list[RouteBody], Field(min_length=1, max_length=MOST_ROUTES)]

    @model_validator(mode="after")
    def _require_short_templates(self) -> Self:
        longest = max(route.path.count("/") for route in self.routes) + self.path_prefix.count("/")
        if longest >= MOST_SEGMENTS:
            msg = f"a route has {longest} segments with the prefix: at most {MOST_SEGMENTS - 1} are matched"
            raise ValueError(msg)
        return self
