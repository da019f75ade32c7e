"""The demo app of a running platform: browsers without a screen, whose PSU decides by the sandbox's own endpoint."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from psd2.clock import SystemClock
from tpp_client.bootstrap import identity_at
from tpp_client.journeys.stage import HeadlessPsu
from tpp_client.transport import transport_for
from tpp_client.xs2a import Xs2a

if TYPE_CHECKING:
    from tests.support.platform import RunningPlatform

APP = "kontoblick"
_FORM_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_SECONDS = 30


def origin_of(platform: RunningPlatform) -> str:
    """Return where the app is."""
    return f"https://localhost:{platform.ports.demo}"


class HeadlessBrowser:
    """One browser: its cookies, and a PSU who sits before it."""

    def __init__(self, platform: RunningPlatform, *, psu: str) -> None:
        self.platform = platform
        self.origin = origin_of(platform)
        self.psu = psu
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(platform.home.trust_bundle)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self.session.get(f"{self.origin}{path}", timeout=_SECONDS, **more)

    def post(self, path: str, **fields: str) -> requests.Response:
        """Send a form with the token of this browser's pages; redirects are answers."""
        pages = self.get("/").text + self.get("/payments/new").text
        token = _FORM_TOKEN.search(pages)
        assert token is not None, pages
        return self.session.post(
            f"{self.origin}{path}",
            data=fields | {"csrf_token": token[1]},
            headers={"Referer": f"{self.origin}/"},
            allow_redirects=False,
            timeout=_SECONDS,
        )

    def decide(self, url: str, *, accounts: tuple[str, ...] | None = None, result: Any = "APPROVED") -> str:
        """Be the PSU at the bank; return the path and query at which it comes back."""
        identity = identity_at(self.platform.home.path, APP, clock=SystemClock())
        with transport_for(identity) as transport:
            xs2a = Xs2a(transport=transport, edge=identity.edge)
            redirect = HeadlessPsu(xs2a=xs2a, psu=self.psu, accounts=accounts, result=result).decide(url)
        parts = urlsplit(redirect)
        return f"{parts.path}?{parts.query}"

    def connect(self) -> requests.Response:
        """Connect the bank; return the page it ends on."""
        sent = self.post("/connect")
        assert sent.status_code == 303, sent.text
        return self.get(self.decide(sent.headers["Location"]))

    def ibans(self) -> set[str]:
        """Return the accounts on the overview."""
        page = unescape(self.get("/accounts").text)
        return {found.replace(" ", "") for found in re.findall(r"\b[A-Z]{2}\d{2}(?: [A-Z0-9]{1,4})+", page)}
