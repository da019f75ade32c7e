"""Headers and query parameters that several operations share (BG IG 1.3.8 §4.1, §5.3.1, §6.3.1.1)."""

from __future__ import annotations

from typing import Final

from bank_backend.openapi.declarations import Parameter

_TEXT: Final = {"type": "string"}
_UUID: Final = {"type": "string", "format": "uuid"}
_BOOLEAN: Final = {"type": "boolean"}

X_REQUEST_ID: Final = Parameter(
    name="X-Request-ID", description="A new UUID for each request; the answer repeats it.", schema=_UUID, required=True
)
CONSENT_ID: Final = Parameter(
    name="Consent-ID", description="The consent that covers this access.", schema=_TEXT, required=True
)
PSU_IP_ADDRESS: Final = Parameter(
    name="PSU-IP-Address",
    description="Address of the PSU's device: it says that the PSU asked for this itself.",
    schema={"type": "string", "examples": ["192.0.2.7"]},
)
PSU_HEADERS: Final = (
    PSU_IP_ADDRESS,
    Parameter(name="PSU-ID", description="The PSU's login at this bank, where it is known.", schema=_TEXT),
    Parameter(name="PSU-ID-Type", description="What kind of login it is.", schema=_TEXT),
    Parameter(name="PSU-Corporate-ID", description="The company's login.", schema=_TEXT),
    Parameter(name="PSU-Corporate-ID-Type", description="What kind of login that is.", schema=_TEXT),
)
REDIRECT_HEADERS: Final = (
    Parameter(name="TPP-Redirect-Preferred", description="Whether a redirect is preferred.", schema=_BOOLEAN),
    Parameter(name="TPP-Decoupled-Preferred", description="Whether the bank's own app is preferred.", schema=_BOOLEAN),
    Parameter(name="TPP-Redirect-URI", description="Where the PSU's browser comes back to.", schema=_TEXT),
    Parameter(name="TPP-Nok-Redirect-URI", description="Where it comes back to after a refusal.", schema=_TEXT),
)
START_HEADERS: Final = (
    *PSU_HEADERS,
    *REDIRECT_HEADERS,
    Parameter(
        name="TPP-Explicit-Authorisation-Preferred",
        description="Whether the TPP starts the authorisation itself.",
        schema=_BOOLEAN,
    ),
    Parameter(
        name="TPP-Notification-URI",
        description="Where changes of status are sent; of a domain that the QWAC names.",
        schema=_TEXT,
    ),
    Parameter(
        name="TPP-Notification-Content-Preferred",
        description="Which changes: status=SCA, PROCESS, LAST.",
        schema={"type": "string", "examples": ["status=SCA, PROCESS"]},
    ),
)
READ_HEADERS: Final = (CONSENT_ID, PSU_IP_ADDRESS)
PSU: Final = Parameter(name="psu", description="The login of one PSU.", schema=_TEXT)
WITH_BALANCE: Final = Parameter(name="withBalance", description="Whether balances are listed too.", schema=_BOOLEAN)
_DAY: Final = {"type": "string", "format": "date"}
TRANSACTIONS_QUERY: Final = (
    Parameter(
        name="bookingStatus",
        description="Which transactions.",
        schema={"type": "string", "enum": ["booked", "pending", "both", "information", "all"]},
        required=True,
    ),
    Parameter(name="dateFrom", description="The first day; mandatory unless a delta is asked for.", schema=_DAY),
    Parameter(name="dateTo", description="The last day; today, if it is left out.", schema=_DAY),
    Parameter(name="entryReferenceFrom", description="Only what was booked after this entry.", schema=_TEXT),
    Parameter(name="deltaList", description="Only what was booked since the last call.", schema=_BOOLEAN),
    WITH_BALANCE,
    Parameter(name="page", description="Stands in the links of pages.", schema=_TEXT),
)
CARD_TRANSACTIONS_QUERY: Final = (
    Parameter(
        name="bookingStatus",
        description="Which transactions.",
        schema={"type": "string", "enum": ["booked", "pending", "both"]},
        required=True,
    ),
    *(one for one in TRANSACTIONS_QUERY if one.name not in {"bookingStatus", "withBalance"}),
)
DATA_FORMAT: Final = Parameter(
    name="format", description="How the data are written.", schema={"type": "string", "enum": ["json", "csv"]}
)
