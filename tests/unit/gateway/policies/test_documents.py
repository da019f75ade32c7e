"""A deployment's document: every fault at once with its field, defaults that routes override, words for what it comes to."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.configuration.model import Document, DocumentRefused
from gateway.configuration.snapshot import Snapshot
from gateway.policies.kind import DEPLOYMENTS
from gateway.policies.model import InvalidCertificate, MutualTls, SignatureRule, TokenBinding, TokenRule
from tests.support.deployments import deployment, only_route

HASH = "ab" * 32
GET: dict[str, Any] = {"path": "/things", "methods": ["GET"]}


def faults(body: dict[str, Any]) -> list[str]:
    usual = {"listener": "edge", "upstream": "bank", "mtls": "required", "routes": [GET]}
    with pytest.raises(DocumentRefused) as caught:
        DEPLOYMENTS.parse(Document("deployments", "one", usual | body))
    return [fault.field for fault in caught.value.faults]


FAULTY: list[tuple[str, Any]] = [
    ("upstream", "The Bank"),
    ("errors", "html"),
    ("mtls", "sometimes"),
    ("invalid_certificate", "forgive"),
    ("trust_store", "../tpp"),
    ("allowed_sans", ["a"] * 11),
    ("allowed_sans[0]", ["a*b"]),
    ("allowed_cns[1]", ["a", "*"]),
    ("allowed_certificates[0]", ["ab"]),
    ("allowed_issuers[0]", ["zz" * 32]),
    ("max_chain_depth", 0),
    ("max_chain_depth", 5),
    ("max_chain_depth", True),
    ("extended_key_usages[0]", ["clientauth"]),
    ("roles[0]", ["AISP"]),
    ("token", "maybe"),
    ("scopes[0]", ["AIS:1"]),
    ("token_binding", "always"),
    ("signature", "yes"),
    ("dpop_nonce", "optional"),
    ("ip_rules.deny[0]", {"deny": ["10.0.0.1/8"]}),
    ("ip_rules.permit", {"permit": []}),
    ("deadlines.head_seconds", {"head_seconds": 0}),
    ("max_body_bytes", 0),
    ("max_body_bytes", 16 * 1024 * 1024 + 1),
    ("max_body_bytes", "1"),
    ("message_signatures", "always"),
    ("response_signatures", "required"),
]


@pytest.mark.parametrize(("field", "value"), FAULTY)
def test_a_fault_is_named_by_its_field(field: str, value: Any) -> None:
    """For the deployment as for a route."""
    name = field.partition(".")[0].partition("[")[0]
    assert faults({name: value}) == [field]
    assert faults({"routes": [GET, GET | {"path": "/b", name: value}]}) == [f"routes[1].{field}"]


def test_all_faults_are_named_at_once() -> None:
    """Whoever mends a document mends it once."""
    found = faults(
        {"listener": "moon", "path_prefix": "v1/", "allowed_sans": ["a*b"], "routes": [{"path": "x", "methods": ["get"]}, {}]}
    )
    assert found == [
        "allowed_sans[0]",
        "listener",
        "path_prefix",
        "routes[0].path",
        "routes[0].methods[0]",
        "routes[1].path",
        "routes[1].methods",
    ]


INCOHERENT: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"mtls": "off", "allowed_sans": ["a"]}, {}, ["allowed_sans"]),
    ({}, {"mtls": "off", "roles": ["PSP_AI"]}, ["routes[0].roles"]),
    ({"mtls": "off"}, {"trust_store": "own", "max_chain_depth": 1}, ["routes[0].max_chain_depth", "routes[0].trust_store"]),
    ({"listener": "front"}, {}, ["mtls"]),
    ({"listener": "front", "mtls": "off"}, {"mtls": "optional"}, ["routes[0].mtls"]),
    ({"invalid_certificate": "ignore"}, {}, ["invalid_certificate"]),
    ({}, {"invalid_certificate": "reject"}, ["routes[0].invalid_certificate"]),
    ({"mtls": "off"}, {"self_signed": "registered"}, ["routes[0].self_signed"]),
    ({"trust_store": "own"}, {"self_signed": "registered"}, ["routes[0].self_signed"]),
    ({}, {"token": "required"}, ["routes[0].token"]),
    ({"token": "if_presented"}, {}, ["token"]),
    ({}, {"token": "off", "scopes": ["AIS"]}, ["routes[0].scopes"]),
    ({}, {"token_binding": "if_bound"}, ["routes[0].token_binding"]),
    ({"mtls": "off"}, {"scopes": ["AIS"]}, ["routes[0].token_binding"]),
    ({"mtls": "off"}, {"scopes": ["AIS"], "token_binding": "if_bound"}, ["routes[0].token_binding"]),
    ({"listener": "welcome", "mtls": "off"}, {"scopes": ["AIS"], "token_binding": "off"}, ["routes[0].token"]),
    ({"upstream": None}, {}, ["routes[0].upstream"]),
    ({}, {"dpop_nonce": "required"}, ["routes[0].dpop_nonce"]),
    ({"dpop_nonce": "off"}, {}, ["dpop_nonce"]),
    ({}, {"message_signatures": "optional"}, ["routes[0].message_signatures"]),
    ({"message_signatures": "required"}, {}, ["message_signatures"]),
    ({"message_signatures": "required"}, {"scopes": ["AIS"], "token": "if_presented"}, ["message_signatures"]),
    (
        {"signature": "required"},
        {"scopes": ["AIS"], "message_signatures": "required"},
        ["routes[0].message_signatures"],
    ),
    ({"upstream": "explain"}, {"response_signatures": "always"}, ["routes[0].response_signatures"]),
]


@pytest.mark.parametrize(("fields", "route", "expected"), INCOHERENT)
def test_a_rule_that_can_never_apply_or_be_met_is_refused(
    fields: dict[str, Any], route: dict[str, Any], expected: list[str]
) -> None:
    """Its author believes that it does something; the fault stands where the word was said."""
    assert faults(fields | {"routes": [GET | route]}) == expected


def test_a_route_without_mutual_tls_lifts_what_its_deployment_asks_of_certificates() -> None:
    """It says so itself, so nothing is taken for a mistake."""
    asked = {"allowed_sans": ["a"], "roles": ["PSP_AI"], "trust_store": "own", "max_chain_depth": 1}
    route = only_route({"mtls": "off"}, **asked)
    assert (route.mtls, route.certificate, route.roles) == (MutualTls.OFF, None, frozenset())


def test_a_route_that_looks_at_no_token_by_its_own_word_lifts_message_signatures() -> None:
    """Whose key it would be, only a token tells."""
    asked = {"scopes": ["AIS"], "message_signatures": "required"}
    assert only_route({"token": "off"}, **asked).message_signatures is SignatureRule.OFF
    assert only_route({}, **asked).message_signatures is SignatureRule.REQUIRED


def test_what_is_not_said_is_closed() -> None:
    """No certificate that is no good passes, and a token has to be bound."""
    route = only_route({"scopes": ["AIS"]}, mtls="optional")
    assert route.on_invalid_certificate is InvalidCertificate.REJECT
    assert (route.token, route.token_binding) == (TokenRule.REQUIRED, TokenBinding.REQUIRED)
    assert (route.trust_store, route.certificate, route.ip_rules) == ("tpp", None, None)


def test_hashes_are_read_as_people_write_them() -> None:
    """In upper case, with colons, as OpenSSL prints them."""
    written = ":".join(["AB"] * 32)
    route = only_route(allowed_certificates=[written], allowed_issuers=[HASH])
    assert route.certificate is not None
    assert (route.certificate.allowed_certificates, route.certificate.allowed_issuers) == ({HASH}, {HASH})


def test_a_prefix_stands_before_every_path() -> None:
    """And `/` is the prefix itself."""
    routes = deployment(GET, GET | {"path": "/"}, GET | {"path": "/**"}, path_prefix="/api/v1").routes
    assert [route.template for route in routes] == ["/api/v1/things", "/api/v1", "/api/v1/**"]


def test_a_deployment_has_as_many_routes_as_it_needs() -> None:
    """There is no limit of fifty."""
    many = deployment(*[GET | {"path": f"/things/{number}"} for number in range(1_000)])
    assert len(many.routes) == 1_000


def test_every_field_of_a_body_is_described_by_the_schema() -> None:
    """The admin API shows it."""
    properties = DEPLOYMENTS.schema()["properties"]
    assert {"listener", "path_prefix", "mtls", "allowed_sans", "routes", "ip_rules", "deadlines"} <= set(properties)


def test_a_page_says_whether_mutual_tls_is_on_and_which_routes_go_without() -> None:
    """In words, route by route."""
    mixed = deployment(
        GET | {"allowed_sans": ["*.example"], "scopes": ["AIS"]}, {"path": "/open", "methods": ["GET"], "mtls": "off"}
    )
    page = DEPLOYMENTS.describe(mixed, Snapshot())

    assert page["mutual_tls"] == "on for some routes: others do without a client certificate"
    assert page["routes_without_mutual_tls"] == ["GET /open"]
    assert page["routes"] == {
        "GET /things": [
            "a client certificate is required, of the trust store tpp",
            "one of its alternative names is like *.example",
            "a token is required, with one of the scopes AIS",
            "the token must be bound to the certificate presented",
        ],
        "GET /open": ["no client certificate is looked at"],
    }


@pytest.mark.parametrize(
    ("mtls", "words"),
    [
        ("required", "on: every route requires a client certificate"),
        ("optional", "optional: no route requires a client certificate"),
        ("off", "off: no route looks at a client certificate"),
    ],
)
def test_a_page_says_it_of_the_whole_deployment(mtls: str, words: str) -> None:
    """In one sentence."""
    assert DEPLOYMENTS.describe(deployment(mtls=mtls), Snapshot())["mutual_tls"] == words


def test_every_policy_is_put_into_words() -> None:
    """None is left out of the page."""
    everything = deployment(
        GET,
        mtls="optional",
        invalid_certificate="ignore",
        trust_store="tpp",
        allowed_sans=["a*"],
        allowed_cns=["*b"],
        allowed_certificates=[HASH],
        allowed_issuers=[HASH],
        max_chain_depth=2,
        extended_key_usages=["clientAuth"],
        roles=["PSP_AI", "PSP_PI"],
        scopes=["AIS"],
        token="if_presented",
        token_binding="if_bound",
        dpop_nonce="required",
        signature="optional",
        ip_rules={"allow": ["192.0.2.0/24"], "deny": ["192.0.2.1"]},
    )
    (words,) = DEPLOYMENTS.describe(everything, Snapshot())["routes"].values()  # type: ignore[attr-defined]
    assert words == [
        "from 192.0.2.0/24 but not from 192.0.2.1/32",
        "a client certificate may be presented, of the trust store tpp; one that is no good is taken for none",
        "one of its alternative names is like a*",
        "its common name is like *b",
        "it is one of the 1 certificates listed",
        "one of the 1 CAs listed stands in its chain",
        "at most 2 CAs stand above it",
        "its extended key usages include 1.3.6.1.5.5.7.3.2",
        "it grants one of the roles PSP_AI PSP_PI",
        "a token that is there is judged, with one of the scopes AIS",
        "the token is, where it is bound, bound to the certificate presented",
        "proofs of possession must hold a nonce of this server",
        "a signature that is there is judged",
    ]
