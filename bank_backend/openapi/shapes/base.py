"""Parts of many answers: amounts, links, account references, refusals (BG IG 1.3.8 §4.13, §14)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel


class Shape(BaseModel):
    """A JSON object of an answer: names are in camel case on the wire, and nothing else is in it."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Decimal = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,14}(\.[0-9]{1,3})?$")]


class Amount(Shape):
    """A sum of money: the decimal has the digits of its currency."""

    currency: Currency
    amount: Decimal


class Href(Shape):
    """A link."""

    href: str


Links = Annotated[dict[str, Href], Field(description="What can be done next, by the names of the guidelines (§4.15).")]


class AccountReference(Shape):
    """`accountReference`: which of its members is there depends on the account."""

    iban: str | None = None
    bban: str | None = None
    pan: str | None = None
    masked_pan: str | None = None
    msisdn: str | None = None
    currency: Currency | None = None
    cash_account_type: str | None = None


class Explained(Shape):
    """What a refusal carries in sandbox mode."""

    reason: str | None = Field(None, description="Stable name of the reason, as in the request log.")
    hint: str | None = Field(None, description="What helps.")
    clause: str | None = Field(None, description="Where it is written.")


class TppMessage(Shape):
    """`tppMessage`."""

    category: Literal["ERROR", "WARNING"]
    code: str
    path: str | None = Field(None, description="The field, header or parameter that is wrong.")
    text: str | None = None


class Refusal(Explained):
    """A refusal under /v1 and /v2."""

    tpp_messages: list[TppMessage]
    links: Links | None = Field(None, alias="_links", description="How to go on in spite of it.")


class Problem(BaseModel):
    """A refusal elsewhere: problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str | None = None
    title: str
    status: int
    detail: str | None = None
    code: str = Field(description="Stable name of the reason.")
    fields: dict[str, str] | None = Field(None, description="What is wrong with each field.")
