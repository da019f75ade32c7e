"""What documents of the kinds `plans` and `subscribers`, and the `plan` of a deployment, may say."""

# Not `from __future__ import annotations`: pydantic reads the types of the fields while the classes are made.
import re
from datetime import datetime
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.configuration.bodies import DocumentBody
from gateway.limits.bodies import AllowanceBody
from gateway.plans.model import SubscriberState, Subscription, TokenLocation

_SHA256: Final = r"^[0-9a-f]{64}$"
_NAMES: Final = {
    TokenLocation.HEADER: (re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,64}"), "a header's name, like X-Api-Key"),
    TokenLocation.QUERY: (re.compile(r"[A-Za-z0-9._~-]{1,64}"), "a parameter's name, like api-key"),
    TokenLocation.AUTH: (re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]{1,64}"), "an Authorization scheme, like Token"),
    TokenLocation.HOST: (
        re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}"),
        "the domain below which tokens stand, like api.example",
    ),
}
# The edge reads these itself, or what they say belongs to others.
_TAKEN_HEADERS: Final = frozenset(
    {
        "authorization", "connection", "content-length", "content-type", "cookie", "date", "digest", "expect", "host",
        "signature", "te", "tpp-signature-certificate", "trailer", "transfer-encoding", "upgrade", "x-request-id",
    }
)  # fmt: skip
_TAKEN_SCHEMES: Final = frozenset({"bearer", "dpop"})  # access tokens


def _moment(text: str) -> str:
    try:
        is_aware = datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        is_aware = False
    if not is_aware:
        raise ValueError(f"{text!r} is no moment with its zone: write it like 2027-01-31T00:00:00Z")
    return text


_Moment = Annotated[str, AfterValidator(_moment)]


class PlanRuleBody(DocumentBody):
    """Whether callers are counted to a usage plan, and where their token stands."""

    subscription: Annotated[
        Subscription,
        Field(description="off; optional: subscribers are counted, others pass; required: others are refused"),
    ]
    location: Annotated[
        TokenLocation | None,
        Field(description="where a subscriber's token stands; without it subscribers are recognised by certificate alone"),
    ] = None
    name: Annotated[
        str | None,
        Field(description="of the header, query parameter or Authorization scheme, or the domain that the token stands before"),
    ] = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        pattern, example = _NAMES.get(self.location, (None, "")) if self.location else (None, "")
        if self.subscription is Subscription.OFF and self.location is not None:
            raise ValueError("subscription is off: nobody looks for a token, leave location out")
        if pattern is None and self.name is not None:
            raise ValueError("name is only for a token in a header, the query, Authorization or the host: leave it out")
        if pattern is not None and not pattern.fullmatch(self.name or ""):
            raise ValueError(f"name is {self.name!r}, write {example}")
        name = (self.name or "").lower()
        if (self.location is TokenLocation.HEADER and name in _TAKEN_HEADERS) or (
            self.location is TokenLocation.AUTH and name in _TAKEN_SCHEMES
        ):
            raise ValueError(f"{self.name} has a meaning of its own: choose another name")
        return self

    @property
    def said_name(self) -> str:
        """The name, as requests are compared with it: header names arrive in lower case."""
        name = self.name or ""
        return name.lower() if self.location is TokenLocation.HEADER else name


class EntitlementBody(AllowanceBody):
    """What the plan grants on some deployments; the first entitlement that names a deployment, or `*`, counts."""

    deployments: Annotated[list[str], Field(min_length=1, max_length=1_000, description="their names, or * for all")]


class PlanBody(DocumentBody):
    """A usage plan: which deployments its subscribers may call, and how often."""

    description: Annotated[str, Field(max_length=500, description="for people")] = ""
    entitlements: Annotated[list[EntitlementBody], Field(min_length=1, max_length=100, description="in order")]


class _Timed(DocumentBody):
    not_before: Annotated[_Moment | None, Field(description="counts from then on, like 2027-01-31T00:00:00Z")] = None
    expires: Annotated[_Moment | None, Field(description="counts until then")] = None

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.begins is not None and self.ends is not None and self.begins >= self.ends:
            raise ValueError("expires is not after not_before")
        return self

    @property
    def begins(self) -> float | None:
        """From when it counts, in epoch seconds."""
        return None if self.not_before is None else datetime.fromisoformat(self.not_before).timestamp()

    @property
    def ends(self) -> float | None:
        """Until when it counts, in epoch seconds."""
        return None if self.expires is None else datetime.fromisoformat(self.expires).timestamp()


class TokenBody(_Timed):
    """A token of the subscriber, by its SHA-256: `POST /config/subscribers/NAME/tokens` makes one and shows it once."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="to speak of it")]
    sha256: Annotated[str, Field(pattern=_SHA256, description="SHA-256 of the token, in hexadecimal")]


class CertificateBody(_Timed):
    """Certificates that are this subscriber's."""

    sha256: Annotated[str | None, Field(pattern=_SHA256, description="SHA-256 of the certificate, in hexadecimal")] = None
    authorisation_number: Annotated[
        str | None, Field(min_length=1, max_length=100, description="of any QWAC; * is every TPP, each counted by itself")
    ] = None
    san: Annotated[str | None, Field(min_length=1, max_length=253, description="a DNS name in the certificate")] = None
    plan: Annotated[str | None, Field(description="the tier of who presents it; default: the first of plans that fits")] = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if [self.sha256, self.authorisation_number, self.san].count(None) != 2:  # noqa: PLR2004 - one of three is given
            raise ValueError("write exactly one of sha256, authorisation_number and san")
        return self


class SubscriberBody(DocumentBody):
    """A subscriber: its plans, and how it is recognised, by token or certificate. Several of each may overlap in time."""

    description: Annotated[str, Field(max_length=500, description="for people")] = ""
    state: Annotated[SubscriberState, Field(description="a suspended one is refused")] = SubscriberState.ACTIVE
    plans: Annotated[list[str], Field(min_length=1, max_length=20, description="the first that names a deployment counts")]
    tokens: Annotated[list[TokenBody], Field(max_length=20, default_factory=list, description="stored hashed only")]
    certificates: Annotated[
        list[CertificateBody], Field(max_length=100, default_factory=list, description="whose holders are this subscriber")
    ]
