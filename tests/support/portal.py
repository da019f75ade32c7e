"""A portal on fakes, without servers: the register's world around it, accounts in a database in memory.

portal = PortalUnderTest(tmp_path)
portal.sign_in_as("anna@acme.example")            # signs up and in; `portal.client` is that browser
other = portal.browser(); portal.sign_in_as("bob@globex.example", browser=other)
page = portal.get("/"); portal.post("/account/name", {"name": "Anna"})     # post() sends the forms' token
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

from chassis.addresses import PortTable
from chassis.home import Home
from chassis.sql.database import open_engine
from sandbox.calls.service import Calls
from sandbox.config import load_settings
from sandbox.database import metadata
from sandbox.developers.attempt_store import SqlAttempts
from sandbox.developers.attempts import Quota, registrations_from_one_address
from sandbox.developers.model import Origin
from sandbox.developers.organisation_store import SqlOrganisations
from sandbox.developers.organisations import Organisations
from sandbox.developers.passwords import Cost, PasswordHasher
from sandbox.developers.service import Developers, SignUp
from sandbox.developers.store import SqlDevelopers
from sandbox.portal.app import create_app
from sandbox.portal.sessions import SESSION_COOKIE
from sandbox.services import Services
from sandbox.tpps.client_data import PublicAddresses
from sandbox.tpps.order_store import SqlOrderStore
from sandbox.tpps.orders import Orders
from sandbox.trust.service import TrustDelivery
from tests.support.call_log import CallLog
from tests.support.health import health_of
from tests.support.levers import LeversInMemory
from tests.support.personalities import PersonalitiesInMemory
from tests.support.register import REGISTRATION, ROOMY, InMemoryAcknowledgements, RegisterWorld
from tests.support.tenant_data import TenantDataInMemory

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from sandbox.ca.service import CertificateAuthority
    from sandbox.developers.model import Visitor
    from sandbox.tpps.model import Tpp

PASSWORD = "correct horse battery"
SOMEBODY = {"name": "Anna Weber", "organisation": "Acme GmbH", "password": PASSWORD}
BASE = "https://localhost:9000"
CHEAP = Cost(memory_kib=32, passes=1, lanes=1)
ADDRESS = "192.0.2.7"


def without_form_token(answer: TestResponse) -> str:
    """Return a page without what differs from one answer to the next: the forms' token holds the second it was made in."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", answer.get_data(as_text=True))


class OpenGate:
    """Lets everybody in."""

    def passage(self) -> AbstractContextManager[None]:
        return nullcontext()


class CountingGate(OpenGate):
    """Counts who passes."""

    passed = 0

    def passage(self) -> AbstractContextManager[None]:
        self.passed += 1
        return super().passage()


class PortalUnderTest:
    """A portal on fakes; `client` is one browser, `browser()` makes more."""

    def __init__(
        self, home: Path, *, base_port: int = 9000, database_url: str = "sqlite://", world: RegisterWorld | None = None
    ) -> None:
        self.world = world or RegisterWorld()
        self.tenant_data = TenantDataInMemory()
        self.call_log = CallLog(home / "log", self.world.clock)
        self.settings = load_settings(home=home, base_port=base_port)
        Home(home).trust_bundle.parent.mkdir(exist_ok=True)
        Home(home).trust_bundle.write_text("the bundle")
        self.engine = open_engine(database_url)
        metadata.create_all(self.engine)
        self.trust = TrustDelivery(
            source=self.world.authority, gateway=self.world.gateway, acknowledgements=InMemoryAcknowledgements()
        )
        self.developers = self._developers()
        self.organisations = Organisations(SqlOrganisations(self.engine), self.world.clock)
        self.services = self._services()
        self.app = create_app(self.services)
        self.client = self.browser()

    def browser(self) -> FlaskClient:
        """Return another browser, with cookies of its own."""
        return self.app.test_client()

    def call(
        self,
        method: str,
        path: str,
        *,
        listener: str | None = "portal",
        token: str | None = None,
        browser: FlaskClient | None = None,
        **options: Any,
    ) -> TestResponse:
        """Call as the edge would forward it; `token` is a registration access token."""
        headers = {"Accept": "text/html, */*;q=0.8", "X-Sandbox-Address": ADDRESS, **options.pop("headers", {})}
        if listener is not None:
            headers["X-Sandbox-Listener"] = listener
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return (browser or self.client).open(path, method=method, headers=headers, base_url=BASE, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open a page."""
        return self.call("GET", path, **options)

    def post(self, path: str, form: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form with the token that this browser's pages carry."""
        token = self.csrf_token(browser=options.get("browser"))
        return self.call("POST", path, data={"csrf_token": token, **(form or {})}, **options)

    def csrf_token(self, *, browser: FlaskClient | None = None) -> str:
        """Return the token in this browser's forms."""
        for path in ("/sign-in", "/"):  # whoever is signed in is led away from the first
            found = re.search(r'name="csrf_token" value="([^"]+)"', self.get(path, browser=browser).get_data(as_text=True))
            if found is not None:
                return found[1]
        raise AssertionError("no page of this browser holds a form")

    def sign_up(self, email: str, *, browser: FlaskClient | None = None, **changes: Any) -> TestResponse:
        """Send the sign-up form."""
        return self.post("/sign-up", {**SOMEBODY, "email": email, **changes}, browser=browser)

    def sign_in(self, email: str, password: str = PASSWORD, **options: Any) -> TestResponse:
        """Send the sign-in form."""
        form = {"email": email, "password": password, **options.pop("form", {})}
        return self.post("/sign-in", form, **options)

    def sign_in_as(self, email: str, *, browser: FlaskClient | None = None, **changes: Any) -> Visitor:
        """Sign up and in past the forms, whose five answers cost more than most tests, and return who that is."""
        wanted, origin = SignUp(email=email, **{**SOMEBODY, **changes}), Origin(address=ADDRESS, user_agent="Werkzeug")
        self.developers.sign_up(wanted, origin)
        token = self.developers.sign_in(email, wanted.password, origin).token
        (browser or self.client).set_cookie(SESSION_COOKIE, token, secure=True, httponly=True)
        return self.visitor(browser=browser)

    def visitor(self, *, browser: FlaskClient | None = None) -> Visitor:
        """Return who is signed in in this browser."""
        cookie = (browser or self.client).get_cookie(SESSION_COOKIE)
        assert cookie is not None, "nobody is signed in here"
        found = self.developers.visitor(cookie.value)
        assert found is not None, "the session is over"
        return found

    def registered(self, **changes: Any) -> dict[str, Any]:
        """Register a TPP by the API, as nobody's; return the answer."""
        answer = self.call("POST", "/api/tpps", json={**REGISTRATION, **changes})
        assert answer.status_code == 201
        document: dict[str, Any] = answer.get_json()
        return document

    def owned_tpp(self, *, browser: FlaskClient | None = None, **changes: Any) -> Tpp:
        """Register a TPP and give it to the organisation signed in in this browser."""
        return self._given(self.visitor(browser=browser).organisation.id, changes)

    def owned_tpp_of(self, email: str, **changes: Any) -> Tpp:
        """Register a TPP and give it to the organisation of this person."""
        owner = next(organisation for developer, organisation in self.developers.all() if developer.email == email)
        return self._given(owner.id, changes)

    def _given(self, organisation_id: str, changes: dict[str, Any]) -> Tpp:
        number = self.registered(**changes)["authorisation_number"]
        assert self.world.store.claim(self.world.register.require(number), organisation_id, limits=ROOMY)
        return self.world.register.require(number)

    def make_operator(self, email: str) -> None:
        """Make somebody an operator."""
        self.developers.set_operator(email, is_operator=True)

    def _developers(self) -> Developers:
        return Developers(
            store=SqlDevelopers(self.engine),
            attempts=SqlAttempts(self.engine),
            hasher=PasswordHasher(cost=CHEAP, gate=OpenGate()),
            clock=self.world.clock,
            sign_ups_per_hour=self.settings.sign_ups_per_hour,
        )

    def _services(self) -> Services:
        return Services(
            settings=self.settings,
            clock=self.world.clock,
            addresses=PublicAddresses("localhost", PortTable(self.settings.base_port)),
            authority=cast("CertificateAuthority", self.world.authority),
            register=self.world.register,
            trust=self.trust,
            developers=self.developers,
            organisations=self.organisations,
            registrations=Quota(
                registrations_from_one_address(self.settings.registrations_per_hour),
                store=SqlAttempts(self.engine),
                clock=self.world.clock,
            ),
            tenant_data=self.tenant_data,
            personalities=PersonalitiesInMemory(),
            levers=LeversInMemory(),
            calls=Calls(self.call_log, self.world.clock),
            health=health_of(self.settings.home, self.world, self.trust),
            orders=Orders(store=SqlOrderStore(self.engine), clock=self.world.clock),
            archive=self.world,
        )
