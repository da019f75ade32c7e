"""A portal on fakes whose certificate authority is real, so that what it issues can be looked into."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.ca.model import TppCertificateKind
from tests.support.certificate_authority import setting
from tests.support.portal import PortalUnderTest
from tests.support.register import NOW, RegisterWorld, registration

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from sandbox.tpps.model import Tpp

_MARK = re.compile(r'name="form" value="([^"]+)"')


class CertificatePortal(PortalUnderTest):
    """Signed in as the owner of `tpp`, which has no certificate yet."""

    def __init__(self, folder: Path, **authority: Any) -> None:
        made = setting(folder, **authority)
        made.clock.advance(NOW - made.clock.now())
        made.authority.ensure_hierarchy()
        super().__init__(folder, world=RegisterWorld(authority=made.authority, clock=made.clock))
        self.owner = self.sign_in_as("anna@acme.example")
        self.tpp = self.enrolled()

    def enrolled(self, *, browser: FlaskClient | None = None, **changes: Any) -> Tpp:
        """Register a TPP for the organisation that is signed in in this browser."""
        organisation = self.visitor(browser=browser).organisation.id
        return self.world.register.ownership.enrol(registration(**changes), organisation_id=organisation)

    def path(self, *segments: str, tpp: Tpp | None = None) -> str:
        """Return the path below a TPP's certificates."""
        return "/".join([f"/tpps/{(tpp or self.tpp).authorisation_number}/certificates", *segments])

    def mark(self, path: str) -> str:
        """Open a page and return the mark of its form."""
        found = _MARK.search(self.get(path).get_data(as_text=True))
        assert found is not None, f"{path} holds no form that issues"
        return found[1]

    def ask(self, way: str, *, kind: str = "qwac", path: str | None = None, **form: Any) -> TestResponse:
        """Send one of the three forms, opened anew."""
        address = path or self.path(f"new?kind={kind}")
        options = {"content_type": "multipart/form-data"} if "csr_file" in form else {}
        return self.post(address, {"form": self.mark(address), "way": way, "kind": kind, **form}, **options)

    def issued(self, kind: TppCertificateKind = TppCertificateKind.QWAC, *, tpp: Tpp | None = None) -> str:
        """Issue a certificate past the pages and return its serial number."""
        return self.world.register.issue(tpp or self.tpp, kind).serial
