"""What logs show of paths and host names in which secrets stand."""

from __future__ import annotations

from gateway.plans.redaction import Redaction
from tests.support.deployments import only_route

IN_PATH = only_route({"path": "/keyed/{secret}/things"}, plan={"subscription": "required", "location": "path"})
IN_PART = only_route({"path": "/{tenant}/by/{secret}"})
IN_HOST = only_route(plan={"subscription": "required", "location": "host", "name": "api.example"})
REDACTION = Redaction([IN_PATH, IN_PART, IN_HOST])


def test_a_secret_segment_is_not_shown_though_the_rest_leads_nowhere() -> None:
    """A slip further on must not bring a token into the log."""
    assert REDACTION.path("/keyed/T/thinks") == "/keyed/{secret}/thinks"
    assert REDACTION.path("/keyed/T") == "/keyed/{secret}"
    assert REDACTION.path("/acme/by/T/x") == "/acme/by/{secret}/x"
    assert REDACTION.path("/other/T") == "/other/T"
    assert Redaction().path("/keyed/T") == "/keyed/T"


def test_the_label_before_a_domain_of_tokens_is_not_shown() -> None:
    """With or without a port, in any case, and with labels before it."""
    assert REDACTION.host("T.api.example") == "{token}.api.example"
    assert REDACTION.host("a.T.API.example:8443") == "{token}.api.example"
    assert REDACTION.host("api.example:8443") == "api.example:8443"
    assert REDACTION.host("localhost") == "localhost"
    assert REDACTION.host(None) is None
