"""The JSON bodies of each service and product: which fields are mandatory, optional, not used (BG IG 1.3.8 §11, §5.3.4.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Generic, TypeVar

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from bank_backend.bodies import AmountBody, Body, Currency, Day, Iban, Max35Text, Max70Text, Max140Text, ReferenceBody
from bank_backend.ledger.products import ChargeBearer
from bank_backend.payments.recurrence import ExecutionRule, Frequency
from bank_backend.personalities.model import PaymentProduct, PaymentService

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from enum import StrEnum

MOST_PAYMENTS: Final = 200


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value) if "T" in value else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    msg = f"{value[:40]!r} is no time with its offset: write one such as 2026-12-31T09:30:00+01:00"
    raise ValueError(msg)


def _number_of(allowed: range) -> Callable[[object], object]:
    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{1,2}", value, re.ASCII) and int(value) in allowed:
            return int(value)
        msg = f'{str(value)[:20]!r} is no text from "{allowed[0]}" to "{allowed[-1]}"'
        raise ValueError(msg)

    return read


def _member_of(kind: type[StrEnum]) -> Callable[[object], object]:
    def read(value: object) -> StrEnum:
        try:
            return kind(str(value))
        except ValueError:
            msg = f"{str(value)[:20]!r} is none of {', '.join(kind)}"
            raise ValueError(msg) from None

    return read


_STRING: Final = WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,2}$"})
BicText = Annotated[str, StringConstraints(pattern="^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$")]
CountryText = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
BbanText = Annotated[str, StringConstraints(pattern="^[a-zA-Z0-9]{1,30}$")]
Moment = Annotated[datetime, BeforeValidator(_moment)]
DayOfMonth = Annotated[int, BeforeValidator(_number_of(range(1, 32))), _STRING]
Month = Annotated[int, BeforeValidator(_number_of(range(1, 13))), _STRING]
FrequencyCode = Annotated[Frequency, BeforeValidator(_member_of(Frequency))]
Rule = Annotated[ExecutionRule, BeforeValidator(_member_of(ExecutionRule))]
Bearer = Annotated[ChargeBearer, BeforeValidator(_member_of(ChargeBearer))]


class AddressBody(Body):
    """`address`."""

    streetName: Max70Text | None = None  # noqa: N815 - wire name
    buildingNumber: Max35Text | None = None  # noqa: N815 - wire name
    townName: Max70Text | None = None  # noqa: N815 - wire name
    postCode: Max35Text | None = None  # noqa: N815 - wire name
    country: CountryText


class CreditorBody(Body):
    """`accountReference` of a payee anywhere: an IBAN or, where a country has none, a BBAN."""

    iban: Iban | None = None
    bban: BbanText | None = None
    currency: Currency | None = None


class TransferBody(Body):
    """What every product takes."""

    instructedAmount: AmountBody  # noqa: N815 - wire name
    creditorAgent: BicText | None = None  # noqa: N815 - wire name
    creditorAgentName: Max140Text | None = None  # noqa: N815 - wire name
    creditorName: Max70Text  # noqa: N815 - wire name
    creditorAddress: AddressBody | None = None  # noqa: N815 - wire name
    remittanceInformationUnstructured: Max140Text | None = None  # noqa: N815 - wire name


class SepaTransferBody(TransferBody):
    """SCT and SCT Inst: charges are always shared, each side its own bank's."""

    creditorAccount: ReferenceBody  # noqa: N815 - wire name
    endToEndIdentification: Max35Text | None = None  # noqa: N815 - wire name


class Target2TransferBody(SepaTransferBody):
    """A TARGET2 payment says who bears the charges, if it wants to."""

    chargeBearer: Bearer | None = None  # noqa: N815 - wire name


class CrossBorderTransferBody(TransferBody):
    """A cross-border transfer has no end-to-end identification."""

    creditorAccount: CreditorBody  # noqa: N815 - wire name
    chargeBearer: Bearer | None = None  # noqa: N815 - wire name


class SingleBody(TransferBody):
    """What a payment on its own says beside its transfer; the date is the extension of BG IG §11.2."""

    debtorAccount: ReferenceBody  # noqa: N815 - wire name
    requestedExecutionDate: Day | None = None  # noqa: N815 - wire name


class StandingOrderBody(Body):
    """When a periodic payment is executed; on its own the second part of a pain.001 one (BG IG §5.3.4.2)."""

    startDate: Day  # noqa: N815 - wire name
    endDate: Day | None = None  # noqa: N815 - wire name
    executionRule: Rule | None = None  # noqa: N815 - wire name
    frequency: FrequencyCode
    dayOfExecution: DayOfMonth | None = None  # noqa: N815 - wire name
    monthsOfExecution: Annotated[list[Month], Field(min_length=1, max_length=11)] | None = None  # noqa: N815 - wire name


class PeriodicBody(StandingOrderBody, TransferBody):
    """What a periodic payment says beside its transfer."""

    debtorAccount: ReferenceBody  # noqa: N815 - wire name


class SepaSingleBody(SingleBody, SepaTransferBody):
    """A single SEPA payment."""


class Target2SingleBody(SingleBody, Target2TransferBody):
    """A single TARGET2 payment."""


class CrossBorderSingleBody(SingleBody, CrossBorderTransferBody):
    """A single cross-border payment."""


class SepaPeriodicBody(PeriodicBody, SepaTransferBody):
    """A periodic SEPA payment."""


class Target2PeriodicBody(PeriodicBody, Target2TransferBody):
    """A periodic TARGET2 payment."""


class CrossBorderPeriodicBody(PeriodicBody, CrossBorderTransferBody):
    """A periodic cross-border payment."""


Entry = TypeVar("Entry", bound=TransferBody)


class BulkBody(Body, Generic[Entry]):
    """`bulkPaymentInitiation_json` (BG IG §11.3)."""

    batchBookingPreferred: bool | None = None  # noqa: N815 - wire name
    debtorAccount: ReferenceBody  # noqa: N815 - wire name
    requestedExecutionDate: Day | None = None  # noqa: N815 - wire name
    requestedExecutionTime: Moment | None = None  # noqa: N815 - wire name
    payments: Annotated[list[Entry], Field(min_length=1, max_length=MOST_PAYMENTS)]


_SEPA: Final[Mapping[PaymentService, type[Body]]] = {
    PaymentService.PAYMENTS: SepaSingleBody,
    PaymentService.BULK: BulkBody[SepaTransferBody],
    PaymentService.PERIODIC: SepaPeriodicBody,
}
BODIES: Final[Mapping[PaymentProduct, Mapping[PaymentService, type[Body]]]] = {
    PaymentProduct.SEPA: _SEPA,
    PaymentProduct.INSTANT: _SEPA,
    PaymentProduct.TARGET_2: {
        PaymentService.PAYMENTS: Target2SingleBody,
        PaymentService.BULK: BulkBody[Target2TransferBody],
        PaymentService.PERIODIC: Target2PeriodicBody,
    },
    PaymentProduct.CROSS_BORDER: {
        PaymentService.PAYMENTS: CrossBorderSingleBody,
        PaymentService.BULK: BulkBody[CrossBorderTransferBody],
        PaymentService.PERIODIC: CrossBorderPeriodicBody,
    },
}
