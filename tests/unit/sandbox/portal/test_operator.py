"""The operator's pages: who may be kept out and how the platform is; for anybody else there are no such pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.tpps.model import TppStatus
from tests.support.pki import Authority
from tests.support.portal import PASSWORD, PortalUnderTest, without_form_token

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

NUMBER = "PSDDE-BAFIN-100001"
OPERATOR, ANNA = "operator@sandbox.example", "anna@acme.example"
PAGES = ["/operator", f"/operator/tpps/{NUMBER}", "/operator/developers", "/operator/servers"]
CHANGES = [f"/operator/tpps/{NUMBER}/block", f"/operator/tpps/{NUMBER}/unblock", "/operator/developers/x/disable"]


@pytest.fixture
def portal(tmp_path: Path) -> PortalUnderTest:
    """Lend a portal in which the operator is signed in."""
    portal = PortalUnderTest(tmp_path)
    portal.sign_in_as(OPERATOR, organisation="The sandbox")
    portal.make_operator(OPERATOR)
    return portal


@pytest.fixture
def anna(portal: PortalUnderTest) -> FlaskClient:
    """Lend the browser of a developer whose organisation has a TPP."""
    browser = portal.browser()
    portal.sign_in_as(ANNA, browser=browser, organisation="Acme GmbH")
    portal.owned_tpp(browser=browser)
    return browser


def anna_id(portal: PortalUnderTest) -> str:
    return next(developer.id for developer, _ in portal.developers.all() if developer.email == ANNA)


def test_for_anybody_else_there_are_no_such_pages(portal: PortalUnderTest, anna: FlaskClient) -> None:
    """404, as for a page that nobody has written; nothing is changed."""

    def shown(path: str) -> tuple[int, str]:
        answer = portal.get(path, browser=anna)
        return answer.status_code, without_form_token(answer)

    for path in PAGES:
        assert shown(path) == shown("/no-such-page")
        assert shown(path)[0] == 404
    for path in CHANGES:
        assert portal.post(path, {"reason": "because"}, browser=anna).status_code == 404
    assert portal.world.register.require(NUMBER).status is TppStatus.ACTIVE


def test_every_tpp_is_listed_and_found(portal: PortalUnderTest, anna: FlaskClient) -> None:
    """By number, name and organisation, and by state."""
    del anna
    portal.registered(name="globex", authorisation_number="PSDFR-ACPR-12345", organisation="Globex SA")

    def listed(query: str) -> tuple[bool, bool]:
        page = portal.get(f"/operator?{query}").text
        return NUMBER in page, "PSDFR-ACPR-12345" in page

    assert listed("") == (True, True)
    assert listed("q=globex") == (False, True)
    assert listed("q=Acme+GmbH") == (True, False)
    assert listed("state=blocked") == (False, False)
    assert listed("page=2") == (False, False)
    assert listed("page=-1") == (True, True)
    assert "nobody in the portal" in portal.get("/operator").text


def test_a_tpp_is_blocked_with_a_reason_that_its_developers_read_and_unblocked(
    portal: PortalUnderTest, anna: FlaskClient
) -> None:
    """The gateway is told at once; what was written is text."""
    reason = "Loads the sandbox <b>too much</b>"
    path = f"/operator/tpps/{NUMBER}"

    assert portal.post(f"{path}/block", {"reason": reason}).status_code == 303

    assert portal.world.calls[-1] == "tpp acme blocked"
    for browser, page in ((portal.client, path), (anna, f"/tpps/{NUMBER}/requests"), (anna, f"/tpps/{NUMBER}")):
        shown = portal.get(page, browser=browser).text
        assert "Loads the sandbox &lt;b&gt;too much&lt;/b&gt;" in shown

    assert portal.post(f"{path}/unblock").status_code == 303
    assert portal.world.calls[-1] == "tpp acme active"
    assert "Loads the sandbox" not in portal.get(f"/tpps/{NUMBER}", browser=anna).text


@pytest.mark.parametrize(
    ("reason", "fault"),
    [
        ("", "Say why"),
        ("  ", "Say why"),
        ("x" * 301, "At most 300"),
        ("too\0many", "on one line"),
        ("too\x1b[31mmany", "on one line"),
        ("too\nmany", "on one line"),
    ],
)
def test_a_block_without_a_reason_is_refused_and_what_was_typed_is_kept(
    portal: PortalUnderTest, anna: FlaskClient, reason: str, fault: str
) -> None:
    """422; nothing happens."""
    del anna
    answer = portal.post(f"/operator/tpps/{NUMBER}/block", {"reason": reason})
    assert answer.status_code == 422
    assert fault in answer.text
    assert reason.strip() in answer.text
    assert portal.world.register.require(NUMBER).status is TppStatus.ACTIVE


def test_a_tpp_that_nobody_has_registered_is_not_found(portal: PortalUnderTest, anna: FlaskClient) -> None:
    """Nor is one by its name."""
    del anna
    for number in ("PSDDE-BAFIN-999999", "acme"):
        assert portal.get(f"/operator/tpps/{number}").status_code == 404
        assert portal.post(f"/operator/tpps/{number}/block", {"reason": "x"}).status_code == 404


def test_a_developers_sessions_are_ended(portal: PortalUnderTest, anna: FlaskClient) -> None:
    """It can sign in again."""
    assert portal.post(f"/operator/developers/{anna_id(portal)}/end-sessions").status_code == 303
    assert portal.get("/account", browser=anna).status_code == 303
    assert portal.sign_in(ANNA, browser=anna).headers["Location"] == "/"


def test_a_disabled_developer_is_out_at_once_and_does_not_get_in_again(portal: PortalUnderTest, anna: FlaskClient) -> None:
    """Only whoever knows the password is told why; enabled again, all is as it was."""
    path = f"/operator/developers/{anna_id(portal)}"
    assert portal.post(f"{path}/disable").status_code == 303

    assert portal.get("/account", browser=anna).status_code == 303
    assert "disabled this account" in portal.sign_in(ANNA, PASSWORD, browser=anna).text
    assert "disabled" not in portal.sign_in(ANNA, "wrong password!", browser=anna).text
    assert ">disabled<" in portal.get("/operator/developers").text

    assert portal.post(f"{path}/enable").status_code == 303
    assert portal.sign_in(ANNA, browser=anna).headers["Location"] == "/"


def test_operators_do_not_disable_themselves_and_nothing_else_can_be_done(portal: PortalUnderTest) -> None:
    """Otherwise nobody might be left to enable them."""
    own = portal.visitor().developer.id
    assert portal.post(f"/operator/developers/{own}/disable").status_code == 303
    assert portal.get("/operator").status_code == 200
    assert portal.post(f"/operator/developers/{own}/promote").status_code == 404
    assert portal.post("/operator/developers/nobody/disable").status_code == 404


def test_the_servers_page_tells_how_everything_is(portal: PortalUnderTest) -> None:
    """Servers, revocation lists, certificates, and what the gateway has taken."""
    folder = portal.settings.home.certs / "servers"
    folder.mkdir(parents=True)
    (folder / "bank.crt").write_text(Authority().server("bank.internal").pem)
    (folder / "edge.crt").write_text("half a certi")

    page = portal.get("/operator/servers").text

    assert "connection refused" in page
    assert "/health answered 503" in page
    assert "authorization" in page
    assert "servers/bank" in page
    assert "servers/edge" not in page
    assert "being delivered" in page
    portal.trust.deliver_changes()
    assert "being delivered" not in portal.get("/operator/servers").text
