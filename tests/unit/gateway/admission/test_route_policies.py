"""Each policy of a route: a request wrong in exactly this way is refused, with what was seen; the same one right passes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.admission.rendering import render
from gateway.policies.model import ErrorStyle
from gateway.trust.rules import Profile
from psd2.roles import PspRole
from tests.support.admission import TOKEN, Known, admitted, asking, judge_by, knowing, refusal, sha256_of
from tests.support.deployments import deployment
from tests.support.pki import NUMBER, Authority, self_signed

ROOT = Authority("Root")
ISSUING = Authority("Issuing", parent=ROOT)
QWAC = ISSUING.qwac()
DIRECT = ROOT.qwac()
FOREIGN = self_signed()
JUDGE = judge_by(ROOT, intermediates=[ISSUING])
OTHER = "0" * 64


def known(**fields: Any) -> Known:
    return knowing(judge=JUDGE, **fields)


CONDITIONS = [
    ({"allowed_sans": ["tpp.example"]}, {"allowed_sans": ["other.example", "*.tpp.example", "tpp"]}, "mtls.san"),
    ({"allowed_sans": ["*.EXAMPLE"]}, {"allowed_sans": ["*.example.org"]}, "mtls.san"),
    ({"allowed_cns": ["TPP.*"]}, {"allowed_cns": ["psp.*"]}, "mtls.san"),
    ({"allowed_certificates": [QWAC.sha256, OTHER]}, {"allowed_certificates": [OTHER]}, "mtls.not_allowed"),
    ({"allowed_issuers": [sha256_of(ISSUING)]}, {"allowed_issuers": [OTHER]}, "mtls.not_allowed"),
    ({"allowed_issuers": [sha256_of(ROOT)]}, {"allowed_issuers": [QWAC.sha256]}, "mtls.not_allowed"),
    ({"max_chain_depth": 2}, {"max_chain_depth": 1}, "mtls.chain"),
    ({"extended_key_usages": ["clientAuth", "serverAuth"]}, {"extended_key_usages": ["clientAuth", "1.2.3"]}, "mtls.eku"),
]


@pytest.mark.parametrize(("right", "wrong", "reason"), CONDITIONS)
def test_a_certificate_has_to_meet_each_condition(right: dict[str, Any], wrong: dict[str, Any], reason: str) -> None:
    """Right in all but one, it is refused for that one; said by the deployment it holds as well as said by the route."""
    assert admitted(known(route=right), asking(certificate=QWAC)).certificate is not None
    for refused in (
        refusal(known(route=wrong), asking(certificate=QWAC)),
        refusal(known(**wrong), asking(certificate=QWAC)),
    ):
        assert (refused.reason, refused.status, refused.code) == (reason, 401, "CERTIFICATE_INVALID")


@pytest.mark.parametrize(("right", "wrong"), [case[:2] for case in CONDITIONS])
def test_a_route_may_lift_what_its_deployment_asks(right: dict[str, Any], wrong: dict[str, Any]) -> None:
    """With its own word, or with an empty list."""
    assert admitted(known(route=right, **wrong), asking(certificate=QWAC))
    (field,) = wrong
    if isinstance(wrong[field], list):
        assert admitted(known(route={field: []}, **wrong), asking(certificate=QWAC))


def test_all_conditions_hold_together_and_the_first_that_fails_is_named() -> None:
    """They combine freely; none stands in for another."""
    fields: dict[str, Any] = {}
    for right, _wrong, _reason in CONDITIONS:
        fields |= right
    assert admitted(known(**fields), asking(certificate=QWAC))
    order = ["max_chain_depth", "extended_key_usages", "allowed_sans", "allowed_cns", "allowed_certificates", "allowed_issuers"]
    faults: dict[str, Any] = {}
    for _right, wrong, reason in sorted(CONDITIONS, key=lambda case: -order.index(next(iter(case[1])))):
        faults |= wrong
        assert refusal(known(**fields | faults), asking(certificate=QWAC)).reason == reason


def test_a_refusal_says_what_was_seen_and_nothing_of_the_list() -> None:
    """Whom a deployment lets in is nobody else's business."""
    named = refusal(known(allowed_sans=["secret-partner.example"]), asking(certificate=QWAC))
    listed = refusal(known(allowed_certificates=[OTHER]), asking(certificate=QWAC))
    issued = refusal(known(allowed_issuers=[OTHER]), asking(certificate=QWAC))

    assert "tpp.example" in named.public_text
    assert QWAC.sha256 in listed.public_text
    assert "CN=Issuing" in issued.public_text
    for refused in (named, listed, issued):
        assert "this deployment's list" in refused.public_text
        assert "secret-partner" not in refused.public_text + refused.private_detail
        assert OTHER not in refused.public_text + refused.private_detail


def test_a_certificate_without_names_is_on_no_list_of_names() -> None:
    """The common name is no alternative one."""
    nameless = ROOT.qwac(with_san=False)
    assert refusal(known(allowed_sans=["*e*"]), asking(certificate=nameless)).reason == "mtls.san"
    assert admitted(known(allowed_cns=["*e*"]), asking(certificate=nameless))


def test_a_certificate_without_purposes_lacks_the_one_that_is_asked_for() -> None:
    """RFC 5280 §4.2.1.12: without the extension any purpose is meant, which is not what the operator asked for."""
    judge, purposeless = judge_by(ROOT, profile=Profile.CLIENT), ROOT.qwac(usages=())
    assert admitted(knowing(judge=judge), asking(certificate=purposeless))
    asked_for = knowing(judge=judge, extended_key_usages=["clientAuth"])
    assert refusal(asked_for, asking(certificate=purposeless)).reason == "mtls.eku"


@pytest.mark.parametrize(
    ("mtls", "certificate", "reason"),
    [
        ("off", None, None),
        ("off", FOREIGN, None),
        ("optional", None, None),
        ("optional", QWAC, None),
        ("optional", FOREIGN, "mtls.untrusted"),
        ("required", None, "mtls.missing"),
        ("required", FOREIGN, "mtls.untrusted"),
        ("required", QWAC, None),
    ],
)
def test_mutual_tls_is_off_optional_or_required(mtls: str, certificate: Any, reason: str | None) -> None:
    """Off looks at nothing; optional refuses what is presented and no good."""
    asked = asking(certificate=certificate)
    if reason is not None:
        assert refusal(known(mtls=mtls), asked).reason == reason
        return
    admission = admitted(known(mtls=mtls), asked)
    assert (admission.certificate is not None) == (admission.tpp is not None) == (certificate is QWAC)


@pytest.mark.parametrize("bad", [FOREIGN, QWAC])
def test_an_optional_certificate_that_is_no_good_may_be_ignored(bad: Any) -> None:
    """Then it establishes nothing: no TPP, no role, nothing for a token to be bound to."""
    lists = {"mtls": "optional", "invalid_certificate": "ignore", "allowed_certificates": [OTHER]}
    admission = admitted(known(**lists), asking(certificate=bad))
    assert (admission.trusted, admission.certificate, admission.tpp) == (None, None, None)

    assert refusal(known(**lists, roles=["PSP_AI"]), asking(certificate=bad)).reason == "psd2.role"
    holder = known(**lists, scopes=["AIS"])
    holder.issue(thumbprint=bad.thumbprint)
    assert refusal(holder, asking(certificate=bad, token=TOKEN)).reason == "token.cnf_without_certificate"


def test_where_a_certificate_is_required_none_is_ignored() -> None:
    """Not by the word of a deployment whose other routes ignore it either."""
    strict = known(route={"mtls": "required"}, mtls="optional", invalid_certificate="ignore")
    assert admitted(strict, asking(certificate=QWAC)).certificate is not None
    assert refusal(strict, asking(certificate=FOREIGN)).reason == "mtls.untrusted"


def test_certificates_are_judged_by_the_store_that_the_route_names() -> None:
    """A CA of one store opens nothing of another."""
    partners = Authority("Partners")
    routes = deployment({"path": "/things", "methods": ["GET"], "trust_store": "partners"}).routes
    stores = Known(routes, tpp=JUDGE, partners=judge_by(partners))
    assert admitted(stores, asking(certificate=partners.qwac())).certificate is not None
    assert refusal(stores, asking(certificate=QWAC)).reason == "mtls.untrusted"
    assert refusal(known(), asking(certificate=partners.qwac())).reason == "mtls.untrusted"


def test_an_authority_of_ordinary_clients_makes_nobody_a_tpp() -> None:
    """What its certificates say of number and roles is its own word."""
    corporate = Authority("Corporate")
    partner = corporate.qwac()
    routes = deployment(
        {"path": "/things", "methods": ["GET"]}, {"path": "/roles", "methods": ["GET"], "roles": ["PSP_AI"]}, trust_store="own"
    ).routes
    stores = Known(routes, own=judge_by(corporate, profile=Profile.CLIENT))

    admission = admitted(stores, asking(certificate=partner))
    assert admission.trusted is not None
    assert (admission.certificate, admission.tpp) == (None, None)
    assert refusal(stores, asking("/roles", certificate=partner)).reason == "psd2.role"


@pytest.mark.parametrize(
    ("roles", "granted", "passes"),
    [
        (["PSP_AI"], {PspRole.AI}, True),
        (["PSP_AI"], {PspRole.PI}, False),
        (["PSP_AI", "PSP_PI"], {PspRole.PI}, True),
        (["PSP_AI", "PSP_PI"], {PspRole.IC}, False),
    ],
)
def test_one_of_the_roles_has_to_be_granted(roles: list[str], granted: set[PspRole], passes: object) -> None:
    """Any of them."""
    certificate = ROOT.qwac(roles=frozenset(granted))
    if passes:
        assert admitted(known(roles=roles), asking(certificate=certificate))
        return
    refused = refusal(known(roles=roles), asking(certificate=certificate))
    assert (refused.reason, refused.status, refused.code) == ("psd2.role", 401, "ROLE_INVALID")
    assert all(role in refused.public_text for role in roles)


@pytest.mark.parametrize(("scope", "passes"), [("AIS:1", True), ("x PIIS:2", True), ("PIS:1", False), ("AIS:", False)])
def test_the_token_holds_one_of_the_scopes(scope: str, passes: object) -> None:
    """Any of them, with what it is for."""
    holder = known(scopes=["AIS", "PIIS"])
    holder.issue(thumbprint=QWAC.thumbprint, scope=scope)
    asked = asking(certificate=QWAC, token=TOKEN)
    if passes:
        assert admitted(holder, asked).token is not None
        return
    refused = refusal(holder, asked)
    assert (refused.reason, refused.status) == ("token.scope", 403)
    assert "AIS:<consentId> or PIIS:<consentId>" in refused.hint


def test_who_lacks_a_scope_is_told_the_one_that_the_route_wants() -> None:
    """Over the wire, whatever service it belongs to."""
    holder = known(scopes=["grant_management_query"])
    holder.issue(thumbprint=QWAC.thumbprint, scope="AIS:1")
    answer = render(refusal(holder, asking(certificate=QWAC, token=TOKEN)), ErrorStyle.OAUTH, sandbox_mode=True)
    hint = orjson.loads(answer.body)["hint"]
    assert hint == "Ask for a token with the scope grant_management_query: that is what this route wants."


BINDINGS = [
    ("required", QWAC, QWAC, None),
    ("required", DIRECT, QWAC, "token.cnf_mismatch"),
    ("required", None, QWAC, "token.unbound"),
    ("required", QWAC, None, "token.cnf_without_certificate"),
    ("if_bound", QWAC, QWAC, None),
    ("if_bound", DIRECT, QWAC, "token.cnf_mismatch"),
    ("if_bound", None, QWAC, None),
    ("if_bound", QWAC, None, "token.cnf_without_certificate"),
    ("if_bound", None, None, None),
    ("off", DIRECT, QWAC, None),
    ("off", QWAC, None, None),
    ("off", None, None, None),
]


@pytest.mark.parametrize(("binding", "bound_to", "presented", "reason"), BINDINGS)
def test_a_token_is_bound_as_far_as_the_route_asks(binding: str, bound_to: Any, presented: Any, reason: str | None) -> None:
    """RFC 8705 §3; whose it is, is asked for in any case."""
    holder = known(mtls="optional", scopes=["AIS"], token_binding=binding)
    holder.issue(thumbprint=bound_to.thumbprint if bound_to else "")
    asked = asking(certificate=presented, token=TOKEN)
    if reason is None:
        admission = admitted(holder, asked)
        assert admission.tpp is not None
        assert admission.tpp.authorisation_number == NUMBER
    else:
        assert refusal(holder, asked).reason == reason


def test_a_token_alone_is_that_of_a_tpp_that_is_let_in() -> None:
    """Without a certificate it is the token that says whose TPP it is."""
    holder = known(mtls="off", scopes=["AIS"], token_binding="off")
    holder.issue(thumbprint="")
    assert admitted(holder, asking(token=TOKEN)).tpp is not None
    holder.tpps.entries.clear()
    assert refusal(holder, asking(token=TOKEN)).reason == "tpp.unknown"


def test_a_token_of_another_tpp_passes_nowhere() -> None:
    """That it may come with any certificate means any of its own TPP's."""
    holder = known(scopes=["AIS"], token_binding="off")
    holder.issue(thumbprint="")
    stranger = ROOT.qwac(number="PSDDE-BAFIN-2")
    holder.tpps.entries["PSDDE-BAFIN-2"] = replace(holder.tpps.entries[NUMBER], authorisation_number="PSDDE-BAFIN-2")
    assert refusal(holder, asking(certificate=stranger, token=TOKEN)).reason == "token.other_tpp"


@pytest.mark.parametrize(
    ("rules", "address", "passes"),
    [
        ({"allow": ["192.0.2.0/24"]}, "192.0.2.7", True),
        ({"allow": ["192.0.2.0/24"]}, "192.0.3.7", False),
        ({"allow": ["192.0.2.0/24"]}, "2001:db8::1", False),
        ({"deny": ["192.0.2.7"]}, "192.0.2.7", False),
        ({"deny": ["192.0.2.7"]}, "192.0.2.8", True),
        ({"allow": ["192.0.2.0/24"], "deny": ["192.0.2.7"]}, "192.0.2.7", False),
        ({"allow": ["2001:db8::/32"]}, "2001:db8:1::1", True),
        ({"deny": ["2001:db8::/32"]}, "2001:db8:1::1", False),
        ({"deny": ["192.0.2.0/24"]}, "::ffff:192.0.2.7", False),
        ({"deny": ["fe80::/10"]}, "fe80::1%eth0", False),
        ({"deny": ["192.0.2.0/24"]}, "unknown", False),
    ],
)
def test_addresses_are_let_in_by_rules(rules: dict[str, Any], address: str, passes: object) -> None:
    """Denied goes before allowed, a list of the allowed leaves out all others, and what is no address is nobody's."""
    asked = asking(certificate=QWAC, address=address)
    if passes:
        assert admitted(known(ip_rules=rules), asked)
        return
    refused = refusal(known(ip_rules=rules), asked)
    assert (refused.reason, refused.status, address in refused.public_text) == ("net.ip_denied", 403, True)


def test_the_policies_are_asked_in_the_order_of_the_design() -> None:
    """A request with every fault is refused for the first; put right one by one, for the next."""
    everything = {
        "ip_rules": {"deny": ["192.0.2.0/24"]},
        "allowed_sans": ["nobody.example"],
        "scopes": ["AIS"],
        "roles": ["PSP_IC"],
    }
    poor = ROOT.qwac(roles=frozenset({PspRole.AI}))
    steps: list[tuple[dict[str, Any], Any, str, str]] = [
        ({}, None, "192.0.2.1", "net.ip_denied"),
        ({}, None, "198.51.100.1", "mtls.missing"),
        ({}, FOREIGN, "198.51.100.1", "mtls.untrusted"),
        ({}, poor, "198.51.100.1", "mtls.san"),
        ({"allowed_sans": []}, poor, "198.51.100.1", "token.missing"),
    ]
    for lifted, certificate, address, reason in steps:
        assert refusal(known(**everything | lifted), asking(certificate=certificate, address=address)).reason == reason
    holder = known(**everything | {"allowed_sans": []})
    holder.issue(thumbprint=QWAC.thumbprint, scope="PIS:1")
    assert refusal(holder, asking(certificate=poor, token=TOKEN, address="198.51.100.1")).reason == "token.cnf_mismatch"
    holder.issue(thumbprint=poor.thumbprint, scope="PIS:1")
    assert refusal(holder, asking(certificate=poor, token=TOKEN, address="198.51.100.1")).reason == "psd2.role"
    holder = known(**everything | {"allowed_sans": [], "roles": []})
    holder.issue(thumbprint=poor.thumbprint, scope="PIS:1")
    assert refusal(holder, asking(certificate=poor, token=TOKEN, address="198.51.100.1")).reason == "token.scope"


@pytest.mark.parametrize("host", ["other.example", "localhost.", "other.localhost:8443"])
def test_a_connection_opened_for_one_name_serves_no_other(host: str) -> None:
    """RFC 9110 §7.4: also the second request of a connection, and whatever its route asks."""
    asked = asking(certificate=QWAC)
    assert admitted(known(), asked)
    asked.host = host
    for setting in (known(), known(mtls="off")):
        refused = refusal(setting, asked)
        assert (refused.reason, refused.status) == ("tls.sni_host_mismatch", 421)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/public/../things", "http.target"),
        ("/public/..;/things", "http.target"),
        ("/public/%2e%2e/things", "http.target"),
        ("/public/%2E%2E/things", "http.target"),
        ("/public/.%2e/things", "http.target"),
        ("/public/%2fthings", "http.target"),
        ("/public//things", "http.target"),
        ("/public\\things", "http.target"),
        ("/public/%5cthings", "http.target"),
        ("/public;x=1/things", "http.target"),
        ("/public/things%3bx", "http.target"),
        ("/public/%00", "http.target"),
        ("/public/%", "http.target"),
        ("/public/%zz", "http.target"),
        ("/public/%74hings", "http.target"),
        ("/public/%252e", "http.target"),
        ("/public/things%2F", "http.target"),
        ("/public/caf\u00e9", "http.target"),
        ("/public/%c0%ae%c0%ae/things", "http.target"),
        ("/public/%ff", "http.target"),
        ("/public/%EF%BC%8E%EF%BC%8E%EF%BC%8Fthings", "http.target"),
        ("/public/thing%C5%BF", "http.target"),
        ("/public/Things", "http.target"),
        ("/public/things/", "http.target"),
        ("/PUBLIC/things", "route.unknown"),
        ("public/things", "http.target"),
    ],
)
def test_no_spelling_of_a_path_gets_round_its_route(path: str, reason: str) -> None:
    """Beside a route that asks for a certificate lies one that asks for nothing: no trick leads from the one to the other."""
    open_routes = [{"path": "/public/**", "methods": ["GET"], "mtls": "off"}]
    guarded = [{"path": "/things", "methods": ["GET"]}, {"path": "/public/things", "methods": ["GET"]}]
    both = Known(deployment(*open_routes, *guarded).routes, tpp=JUDGE)
    assert admitted(both, asking("/public/other"))
    for plain in ("/things", "/public/things"):
        assert refusal(both, asking(plain)).reason == "mtls.missing"

    assert refusal(both, asking(path)).reason == reason


def test_a_usage_that_only_others_have_is_named_by_its_number() -> None:
    """So that the TPP can ask its authority for it."""
    refused = refusal(known(extended_key_usages=["emailProtection"]), asking(certificate=QWAC))
    assert ExtendedKeyUsageOID.EMAIL_PROTECTION.dotted_string in refused.public_text
