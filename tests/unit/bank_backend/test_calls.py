"""What the gateway says about a call."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from werkzeug.datastructures import Headers

from bank_backend.bankapp.errors import RequestChanged
from bank_backend.calls import calling_tenant, tpp_call
from bank_backend.data.faulty_lines import DataFaulty, FaultyLine
from bank_backend.errors import (
    BankError,
    BankUnavailable,
    CertificateMissing,
    FieldsInvalid,
    FormatError,
    SignatureRefused,
    TooManySignIns,
)
from bank_backend.leniency import Leniency, begin_leniency
from chassis.told.refusals import ToldRefusal
from chassis.told.signatures import SignatureFault
from psd2.roles import PspRole
from psd2.tpp_messages import MessageCode

REQUEST_ID = "99391c7e-ad88-49ec-a2ad-99ddcb1f7721"


@dataclass
class Incoming:
    """A request that is headers only."""

    headers: Headers = field(default_factory=Headers)


def incoming(**changes: str | None) -> Incoming:
    """Return a complete call; a change to None leaves the header out."""
    headers = {
        "X-Sandbox-Tpp": "PSDDE-BAFIN-100001",
        "X-Sandbox-Roles": "PSP_AI PSP_PI",
        "X-Sandbox-Client": "client-1",
        "X-Sandbox-Scope": "AIS:c1 openid",
        "X-Sandbox-Subject": "anna.weber",
        "X-Sandbox-Request": "7f2f4a52-7b0e-4c34-8a8c-6f7a0a8b2c11",
        "X-Request-ID": REQUEST_ID,
        "PSU-IP-Address": "192.0.2.7",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    return Incoming(Headers([(name, value) for name, value in headers.items() if value is not None]))


def test_a_call_is_read_whole() -> None:
    """Everything that docs/architecture.md §3.1 lists."""
    call = tpp_call(incoming())

    assert call.tenant == "PSDDE-BAFIN-100001"
    assert call.roles == {PspRole.AI, PspRole.PI}
    assert call.scope == {"AIS:c1", "openid"}
    assert (call.client, call.subject) == ("client-1", "anna.weber")
    assert call.x_request_id == REQUEST_ID
    assert call.psu_present


def test_without_a_token_there_is_no_scope_and_no_subject() -> None:
    """Routes without a token carry none of its headers."""
    call = tpp_call(incoming(X_Sandbox_Client=None, X_Sandbox_Scope=None, X_Sandbox_Subject=None, PSU_IP_Address=None))

    assert (call.client, call.subject, call.scope) == (None, None, frozenset())
    assert not call.psu_present


def test_without_a_token_nothing_is_granted_unless_the_bank_says_so() -> None:
    """A personality that needs no token waives it; a token that came is judged all the same."""
    without = incoming(X_Sandbox_Client=None, X_Sandbox_Scope=None)
    assert not tpp_call(without).is_granted("AIS:c1")
    assert tpp_call(incoming()).is_granted("AIS:c1")

    begin_leniency(Leniency(waives_token=True))
    try:
        assert tpp_call(without).is_granted("AIS:c1")
        assert not tpp_call(incoming()).is_granted("AIS:c2")
    finally:
        begin_leniency(None)


def test_a_role_that_nobody_knows_grants_nothing() -> None:
    """Fail closed: not even the known one beside it."""
    assert tpp_call(incoming(X_Sandbox_Roles="PSP_AI PSP_ZZ")).roles == frozenset()


@pytest.mark.parametrize("value", [None, "", "Fintech", "PSDDE-BAFIN-100001, PSDFR-ACPR-1"])
def test_no_tpp_no_answer(value: str | None) -> None:
    """Without the gateway's word for a TPP there is no tenant."""
    with pytest.raises(CertificateMissing):
        calling_tenant(incoming(X_Sandbox_Tpp=value))


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Request-ID", None),
        ("X-Request-ID", "1"),
        ("X-Request-ID", f"{{{REQUEST_ID}}}"),
        ("X-Request-ID", f"urn:uuid:{REQUEST_ID}"),
        ("X-Request-ID", REQUEST_ID.replace("-", "")),
        ("PSU-IP-Address", "192.0.2"),
        ("PSU-IP-Address", "localhost"),
    ],
)
def test_a_wrong_header_is_named(header: str, value: str | None) -> None:
    """FORMAT_ERROR with the header's name as path (BG IG §14.11.1)."""
    with pytest.raises(FormatError) as refusal:
        tpp_call(incoming(**{header.replace("-", "_"): value}))

    assert refusal.value.path == header


def test_a_request_id_given_twice_is_refused() -> None:
    """Two ids are no id; servers join the two by a comma (RFC 9110 §5.3)."""
    call = incoming(X_Request_ID=f"{REQUEST_ID},0d2a0c1e-6f5b-4d55-8a71-0a5f1d2e3c4b")

    with pytest.raises(FormatError, match="2 times"):
        tpp_call(call)


def test_every_refusal_has_both_names_and_a_status() -> None:
    """Each class of the tree can be rendered for TPPs and for internal callers."""
    given: dict[type[BankError], tuple[object, ...]] = {
        FieldsInvalid: ({"x": "y"},),
        DataFaulty: ([FaultyLine(file="psus.csv", line=2, column="login", text="must not be empty")],),
        BankUnavailable: (),
        TooManySignIns: (),
        RequestChanged: (),
        SignatureRefused: (
            SignatureFault(MessageCode.SIGNATURE_INVALID, ToldRefusal(reason="a.b", text="", hint="", clause="")),
        ),
    }
    kinds = [BankError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    for kind in kinds[1:]:
        error = kind(*given.get(kind, ("because",)))  # type: ignore[arg-type]
        assert 400 <= error.status < 600
        assert error.problem_code.count(".") == 1
        assert error.title
