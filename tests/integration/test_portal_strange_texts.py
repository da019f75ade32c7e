"""Texts that one engine keeps and the other does not, sent to the portal: answered in words, on both engines alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.tpps.store import SqlTppStore
from tests.support.portal import PortalUnderTest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.databases import Databases

ANNA, NUL = "anna@acme.example", "a\0b"
# Longer than what PostgreSQL indexes, and nothing that compression makes shorter.
LONG = "".join(chr(33 + number * number * 31 % 89) for number in range(9_000))


@pytest.fixture
def portal(databases: Databases, tmp_path: Path) -> PortalUnderTest:
    """Lend a portal on a database of this engine."""
    return PortalUnderTest(tmp_path, database_url=databases.fresh("sandbox"))


@pytest.mark.parametrize("address", [NUL, f"{NUL}@acme.example", f"{LONG}@acme.example"])
def test_nobody_signs_in_by_what_is_no_address(portal: PortalUnderTest, address: str) -> None:
    answer = portal.sign_in(address)

    assert answer.status_code == 422
    assert "Write an e-mail address" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/account/sessions/end", "/organisation/invitations/withdraw"])
@pytest.mark.parametrize("key", [NUL, LONG, ""])
def test_what_is_no_key_names_nothing(portal: PortalUnderTest, path: str, key: str) -> None:
    portal.sign_in_as(ANNA)

    answer = portal.post(path, {"session": key, "invitation": key})

    assert answer.status_code == 303
    assert "already" in portal.get(answer.headers["Location"]).get_data(as_text=True)


def test_an_address_with_a_nul_is_refused_by_name(portal: PortalUnderTest) -> None:
    """The bank would refuse it too, and look as if it had failed."""
    portal.sign_in_as(ANNA)
    portal.owned_tpp(name="acme", organisation="Acme", authorisation_number="PSDDE-BAFIN-777001")

    answer = portal.get("/tpps/PSDDE-BAFIN-777001/inbox?psu=a%00b")

    assert answer.status_code == 400
    assert "Psu holds a NUL character" in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", [NUL, LONG])
def test_no_tpp_is_called_so(databases: Databases, name: str) -> None:
    with databases.opened("sandbox") as engine:
        assert SqlTppStore(engine).find(name) is None
