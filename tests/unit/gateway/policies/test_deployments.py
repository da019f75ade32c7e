"""Deployments: read with precise errors, matched most specific first."""

from __future__ import annotations

import pytest

from gateway.configuration.files import FileRefused
from gateway.configuration.snapshot import SetRefused
from gateway.policies.matching import UnknownPath, WrongMethod
from gateway.policies.model import ErrorStyle, Listener, MutualTls, ResponseSignatureRule, SignatureRule, TokenRule, Upstream
from psd2.roles import PspRole
from tests.support.deployments import deployments, routes_of, shipped_deployments, shipped_routes

DEPLOYMENT = """
[deployments.one]
listener = "edge"
upstream = "bank"
mtls = "required"
errors = "xs2a"
"""
ROUTE = """
[[deployments.one.routes]]
path = "/v1/things/{thing}"
methods = ["GET"]
"""


def test_the_routes_that_come_with_the_gateway_are_those_of_the_architecture() -> None:
    """Role, token scope, server and error style of a few of them (docs/architecture.md §3.1)."""
    routes = shipped_routes().table
    accounts = routes.route_of(Listener.EDGE, "GET", "/v1/accounts/1/transactions/2")
    assert (accounts.roles, accounts.scopes, accounts.upstream) == ({PspRole.AI}, ("AIS",), Upstream.BANK)
    funds = routes.route_of(Listener.EDGE, "POST", "/v1/funds-confirmations")
    assert (funds.roles, funds.scopes) == ({PspRole.IC}, ("PIIS",))
    payment = routes.route_of(Listener.EDGE, "POST", "/v1/payments/sepa-credit-transfers")
    assert (payment.roles, payment.scopes) == ({PspRole.PI}, ())
    token = routes.route_of(Listener.EDGE, "POST", "/token")
    assert (token.upstream, token.errors, token.mtls) == (Upstream.AUTHORIZATION, ErrorStyle.OAUTH, MutualTls.REQUIRED)
    interactions = routes.route_of(Listener.EDGE, "POST", "/sandbox/v1/psu-interactions")
    assert interactions.upstream == Upstream.AUTHORIZATION
    assert routes.route_of(Listener.EDGE, "GET", "/sandbox/v1/data").upstream == Upstream.BANK
    assert routes.route_of(Listener.FRONT, "GET", "/psu/1").upstream == Upstream.BANK


def test_every_route_of_the_tpp_listener_wants_a_certificate() -> None:
    """Nothing there is open by omission: only what is published, and the dry run that tells whoever is refused why."""
    of_tpps = [route for route in shipped_deployments().routes if route.listener is Listener.EDGE]
    assert {route.template for route in of_tpps if route.mtls is not MutualTls.REQUIRED} == {"/v1/openapi.json", "/explain"}


def test_every_resource_of_the_bank_has_its_signatures_judged_and_leaves_the_tokens_rule_to_the_bank() -> None:
    """A route without would have the bank refuse whoever signs, or the edge whoever needs no token there."""
    of_tpps = [route for route in shipped_deployments().routes if route.mtls is MutualTls.REQUIRED]
    resources = [route for route in of_tpps if route.errors is ErrorStyle.XS2A]
    assert resources
    assert {route.signature for route in resources} == {SignatureRule.OPTIONAL}
    with_tokens = [route for route in resources if route.scopes]
    assert {route.token for route in with_tokens} == {TokenRule.IF_PRESENTED}
    # By the token's client, so nowhere else.
    assert {(route.message_signatures, route.response_signatures) for route in with_tokens} == {
        (SignatureRule.OPTIONAL, ResponseSignatureRule.IF_ASKED)
    }


def test_a_rule_about_tokens_wants_a_scope() -> None:
    """It would do nothing, and its author thinks it does."""
    with pytest.raises(SetRefused, match="there is no scope"):
        deployments(DEPLOYMENT + ROUTE + 'token = "required"\n')


def test_only_the_import_of_test_data_takes_larger_bodies() -> None:
    """Of programs behind mutual TLS, and of browsers: the portal reads no such form of anybody who is not signed in."""
    larger = {route.template: route.mtls for route in shipped_deployments().routes if route.max_body_bytes}

    assert larger == {
        "/sandbox/v1/data/import": MutualTls.REQUIRED,
        "/tpps/{number}/data/workbench/import": MutualTls.OFF,
    }
    for value in ("0", "-1", "true", '"1"', "16777217"):
        with pytest.raises(SetRefused, match="max_body_bytes: "):
            deployments(DEPLOYMENT + ROUTE + f"max_body_bytes = {value}\n")


def test_every_route_with_a_token_wants_a_certificate_to_bind_it_to() -> None:
    """A token without a certificate would be a bearer token."""
    with_token = [route for route in shipped_deployments().routes if route.scopes]
    assert with_token
    assert {route.mtls for route in with_token} == {MutualTls.REQUIRED}


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/v1/things", "/v1/things"),
        ("/v1/things/all", "/v1/things/all"),
        ("/v1/things/1", "/v1/things/{thing}"),
        ("/v1/things/1/parts", "/v1/things/{thing}/parts"),
        ("/v1/things/all/parts", "/v1/things/{thing}/parts"),
        ("/v1/other", "/**"),
        ("/", "/**"),
    ],
)
def test_the_most_specific_route_is_taken(path: str, template: str) -> None:
    """A literal goes before a placeholder, both before the rest."""
    templates = ["/**", "/v1/things", "/v1/things/{thing}", "/v1/things/all", "/v1/things/{part}/parts"]
    text = DEPLOYMENT + "".join(f'[[deployments.one.routes]]\npath = "{each}"\nmethods = ["GET"]\n' for each in templates)
    found = routes_of(text).table.route_of(Listener.EDGE, "GET", path).template
    assert found.replace("{part}", "{thing}") == template


@pytest.mark.parametrize("path", ["/v1/things", "/v1/things/", "/v1/things/1/2", "/V1/things/1", "", "/v1" + "/x" * 40])
def test_an_unknown_path_is_unknown(path: str) -> None:
    """An empty segment is no thing."""
    routes = routes_of(DEPLOYMENT + ROUTE).table
    with pytest.raises(UnknownPath):
        routes.route_of(Listener.EDGE, "GET", path)


def test_a_route_of_one_listener_is_none_of_another() -> None:
    """Each has its own."""
    routes = routes_of(DEPLOYMENT + ROUTE).table
    with pytest.raises(UnknownPath):
        routes.route_of(Listener.FRONT, "GET", "/v1/things/1")


def test_a_wrong_method_names_the_right_ones() -> None:
    """Those of all routes with the path."""
    more = ROUTE.replace('["GET"]', '["PUT", "DELETE"]')
    routes = routes_of(DEPLOYMENT + ROUTE + more).table
    with pytest.raises(WrongMethod) as caught:
        routes.route_of(Listener.EDGE, "POST", "/v1/things/1")
    assert caught.value.allowed == {"GET", "PUT", "DELETE"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = ", "no TOML"),
        ("deployments = 3", "a table was expected"),
        (DEPLOYMENT, "deployments/one: routes: Field required"),
        (DEPLOYMENT.replace('"edge"', '"back"') + ROUTE, "listener: .*'welcome', 'portal', 'front', 'edge' or 'demo'"),
        (DEPLOYMENT.replace('upstream = "bank"', "") + ROUTE, r"routes\[0\].upstream: is missing"),
        (DEPLOYMENT.replace('"required"', '"maybe"') + ROUTE, "mtls: .*'off', 'optional' or 'required'"),
        (DEPLOYMENT + 'colour = "red"\n' + ROUTE, "deployments/one: colour: "),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "v1/things"), r"routes\[0\].path: write it like"),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "/v1/**/things"), r"routes\[0\].path: write it like"),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "/v1/../things"), r"routes\[0\].path: write it like"),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "/v1//things"), r"routes\[0\].path: write it like"),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "/v1/%2e"), r"routes\[0\].path: write it like"),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "/{x}/{x}"), r"routes\[0\].path: names a placeholder twice"),
        (DEPLOYMENT + ROUTE.replace("/v1/things/{thing}", "/a" * 32), "at most 31 are matched"),
        (DEPLOYMENT + ROUTE.replace('["GET"]', '["get"]'), r"routes\[0\].methods\[0\]: write one of GET"),
        (DEPLOYMENT + ROUTE.replace('["GET"]', "[]"), r"routes\[0\].methods: "),
        (DEPLOYMENT + ROUTE + 'roles = ["PSP_XX"]\n', r"deployments/one: routes\[0\].roles\[0\]: "),
        (DEPLOYMENT + ROUTE + 'scopes = ["AIS:1"]\n', r"routes\[0\].scopes\[0\]: "),
        (
            DEPLOYMENT + ROUTE + ROUTE.replace("{thing}", "{other}"),
            r"routes\[1\].path: GET /v1/things/{other} is there already",
        ),
    ],
)
def test_a_faulty_file_is_refused_with_the_place_and_the_fault(text: str, message: str) -> None:
    """And with what would be right."""
    with pytest.raises((SetRefused, FileRefused), match=message):
        deployments(text)
