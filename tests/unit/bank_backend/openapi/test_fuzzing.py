"""schemathesis on our own document: whatever it sends, nothing fails, and every answer is a described one.

Seeded and bounded (`BANK_TESTS=full`: a hundred of each kind); the Berlin Group's YAMLs judge the answers too (conftest.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.bank_core import ANNA, JONAS, NOW, TENANT
from tests.support.bank_sca import ALL_ROLES, CONSENTS, ELSEWHERE, FUNDS, PAYMENTS, BankDesk
from tests.support.own_document import own_document
from tests.support.sizes import sized

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemathesis import Case

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
# The domains with most operations by themselves, so that workers share them; "others" are all that are not named.
DOMAINS = ("accounts", "consents", "funds", "payments", "others")
# Examples of an operation: of the interface that banks share, and of what steers the sandbox.
VALID, INVALID = sized(6, full=100), sized(4, full=100)
FEW_VALID, FEW_INVALID = sized(3, full=30), sized(2, full=30)
# What they ask for, valid, takes its time: thousands of transactions, or all of a tenant's.
SLOW = frozenset({"/sandbox/v1/data/generate", "/sandbox/v1/data/reset"})
_ACCESS: tuple[dict[str, Any], ...] = (
    {"availableAccounts": "allAccounts"},
    {"balances": [], "transactions": []},
    {"allPsd2": "allAccounts"},
)
_KEPT = frozenset({"x-request-id", "consent-id", "content-type"})


@dataclass
class Caller:
    """A TPP with a consent, a payment and a funds consent, which half of the generated calls are led to."""

    desk: BankDesk

    def __post_init__(self) -> None:
        self.consent, self.payment = self.desk.approved_consent(), self.desk.payment()
        self.funds = self.desk.funds_consent()
        self.desk.decide(self.desk.begin("piis", self.funds))
        self.account = self.desk.bank.account(ANNA).id
        resources = {self.consent: CONSENTS, self.payment: PAYMENTS, self.funds: FUNDS}
        self.authorisations = {each: self._authorisation(f"{base}/{each}") for each, base in resources.items()}

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Put before the bank what the gateway puts there."""
        identity = {
            "LISTENER": "edge",
            "TPP": TENANT,
            "ROLES": ALL_ROLES,
            "SCOPE": f"AIS:{self.consent} PIIS:{self.funds}",
            "SUBJECT": ANNA,
            "CLIENT": TENANT,
        }
        forwarded = {f"HTTP_X_SANDBOX_{name}": value for name, value in identity.items()}
        return self.desk.app.wsgi_app(environ | forwarded | {"chassis.caller": "gateway"}, start_response)

    def lead(self, case: Case[Any], access: dict[str, Any]) -> None:
        """Make of a generated call one that gets further: to what there is, without faulty optional headers."""
        headers: Any = {name: value for name, value in case.headers.items() if name.lower() in _KEPT}
        case.headers = headers | {"PSU-IP-Address": "192.0.2.7"}
        if "Consent-ID" in case.headers:
            case.headers["Consent-ID"] = self.funds if "funds" in case.path else self.consent
        case.path_parameters = {name: self._known(case, name, value) for name, value in case.path_parameters.items()}
        if case.method == "POST" and case.path == CONSENTS and isinstance(case.body, dict):
            case.body |= {"access": access, "recurringIndicator": True, "frequencyPerDay": 4}
            case.body.pop("combinedServiceIndicator", None)

    def _known(self, case: Case[Any], name: str, generated: Any) -> Any:
        resource = self._resource(case.path)
        known = {
            "account_id": self.account,
            "product": "sepa-credit-transfers",
            "service": _service(case.body),
            "consent": resource,
            "resource": resource,
            "authorisation": self.authorisations.get(resource),
        }
        return known.get(name, generated)

    def _resource(self, path: str) -> str:
        if path.startswith(CONSENTS):
            return self.consent
        return self.funds if path.startswith("/v2") else self.payment

    def _authorisation(self, path: str) -> str:
        answer: Any = self.desk.tpp.get(f"{path}/authorisations").json
        return str(answer["authorisationIds"][0])


def _service(body: Any) -> str:
    """Return the payment service that a body is for."""
    members = body if isinstance(body, dict) else {}
    if "payments" in members:
        return "bulk-payments"
    return "periodic-payments" if "frequency" in members else "payments"


@pytest.fixture
def caller(desk: BankDesk) -> Caller:
    """Lend a TPP that schemathesis speaks for, and the formats that are this bank's own."""
    ibans = [desk.iban(), desk.iban(JONAS), ELSEWHERE]
    schemathesis.openapi.format("iban", st.sampled_from(ibans))
    days = st.integers(-3, 400).map(lambda number: (NOW + timedelta(days=number)).date().isoformat())
    schemathesis.openapi.format("date", days)
    return Caller(desk)


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_fails_and_nothing_is_answered_that_is_not_described(caller: Caller, domain: str) -> None:
    schema = schemathesis.openapi.from_dict(own_document(caller.desk.app).document)
    schema.app = caller
    statuses: dict[str, set[int]] = {}
    for operation in _operations(schema, domain):
        statuses[operation.label] = set()
        valid, invalid = (FEW_VALID, FEW_INVALID) if operation.path.startswith("/sandbox/") else (VALID, INVALID)
        valid = 1 if operation.path in SLOW else valid
        for mode, examples in ((GenerationMode.POSITIVE, valid), (GenerationMode.NEGATIVE, invalid)):
            _fuzz(caller, operation, mode, examples, statuses[operation.label])

    assert statuses
    assert all(statuses.values())


def _operations(schema: Any, domain: str) -> list[Any]:
    found = [each.ok() for each in schema.get_all_operations()]
    mine = [each for each in found if domain == _domain(each)]
    # What ends a resource comes last, so that the others meet it alive.
    return sorted(mine, key=lambda each: each.method.upper() == "DELETE")


def _domain(operation: Any) -> str:
    (tag,) = operation.definition.raw["tags"]
    return str(tag) if tag in DOMAINS else "others"


def _fuzz(caller: Caller, operation: Any, mode: GenerationMode, examples: int, statuses: set[int]) -> None:
    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), is_led=st.booleans(), access=st.sampled_from(_ACCESS))
    def send(case: Case[Any], is_led: bool, access: dict[str, Any]) -> None:  # noqa: FBT001 - hypothesis passes what it draws by name
        if is_led:
            caller.lead(case, dict(access))
        answer = case.call()
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    send()
