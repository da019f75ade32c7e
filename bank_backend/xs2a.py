"""What every Berlin Group handler shares: its caller, its body, its `_links` and its answer (BG IG 1.3.8 §4.1, §4.15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from bank_backend.answers import json_answer
from bank_backend.authorisations.links import opened_links
from bank_backend.authorisations.messages import psu_message
from bank_backend.calls import tpp_call
from bank_backend.errors import RoleInvalid
from bank_backend.grounds import told_unnotifiable
from chassis.told import vouched_certificates
from psd2.certificates import parse_certificate
from psd2.client_cert_header import HEADER as CLIENT_CERT
from psd2.client_cert_header import decode_client_cert
from psd2.tpp_messages import TppMessage

if TYPE_CHECKING:
    from flask import Response

    from bank_backend.authorisations.model import ResourceKind
    from bank_backend.calls import TppCall
    from bank_backend.services import Services
    from psd2.roles import PspRole


def xs2a_call(role: PspRole) -> TppCall:
    """Read the call in hand; raises `RoleInvalid` where the certificate lacks the role, `FormatError`."""
    call = tpp_call(request)
    if role not in call.roles:
        raise RoleInvalid(
            f"this resource needs the role {role}, and the certificate has {', '.join(sorted(call.roles)) or 'none'}"
        )
    return call


def json_body() -> bytes:
    """Return the request's body; raises `UnsupportedMediaType` (415) unless it says that it is JSON."""
    if request.mimetype != "application/json":
        text = f"Content-Type is {request.mimetype or 'missing'}: this resource reads application/json"
        raise UnsupportedMediaType(text)
    return request.get_data()


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What the answer to a new resource says about its authorisation; `members` holds `_links`."""

    links: dict[str, object]
    headers: dict[str, str]
    members: dict[str, object]
    warnings: tuple[TppMessage, ...] = ()

    def added_to(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the body with all this, its own warnings kept."""
        warnings = [*body.get("tppMessages", ()), *(warning.as_json() for warning in self.warnings)]
        return body | self.members | ({"tppMessages": warnings} if warnings else {})


def require_startable(
    call: TppCall, services: Services, *, psu_chooses: bool = False, kind: ResourceKind | None = None
) -> None:
    """Raise for what stands in the way of every authorisation, before anything is made.

    `psu_chooses`: a bank-offered consent, which not every approach can deal with. Raises as `Openings.require_possible`.
    """
    services.authorising.openings.require_possible(call, domains=tpp_domains(call), psu_chooses=psu_chooses, kind=kind)


def started(
    call: TppCall,
    services: Services,
    *,
    kind: ResourceKind,
    path: str,
    resource: str,
    segment: str = "authorisations",
    implicit: bool = True,
) -> Started:
    """Decide how a new resource is authorised and start that, unless the TPP has to (BG IG §4.6).

    A repeated request finds what the first one has started. `implicit` False: the TPP starts it in any case.
    """
    domains = tpp_domains(call)
    # Before the authorisation is: its beginning is the first thing to tell.
    notified = services.notifications.subscribe(call, kind=kind, resource=resource, path=path, domains=domains)
    opened = services.authorising.openings.open(call, kind=kind, resource=resource, domains=domains, implicit=implicit)
    links = opened_links(path, opened, segment=segment, front_url=services.settings.front_url)
    message = None if opened.authorisation is None else psu_message(opened.authorisation)
    members: dict[str, object] = {"_links": links} | ({"psuMessage": message} if message else {})
    headers = {"ASPSP-SCA-Approach": opened.approach.header, **notified.headers}
    warnings = () if notified.refusal is None else (_unnotifiable(notified.refusal),)
    return Started(links=links, headers=headers | (told_unnotifiable() if warnings else {}), members=members, warnings=warnings)


def _unnotifiable(why: str) -> TppMessage:
    text = f"no notification will be sent to this address: {why}"
    return TppMessage("WARNING", text, category="WARNING", path="TPP-Notification-URI")


def tpp_domains(call: TppCall) -> tuple[str, ...]:
    """Return the host names of the caller's QWAC, which its addresses have to lie under; nothing where it sends none."""
    if call.redirect_uri is None and call.nok_redirect_uri is None and call.notification_uri is None:
        return ()
    header = request.headers.get(CLIENT_CERT)
    if header is None or request.headers.get(vouched_certificates.HEADER) != vouched_certificates.Vouched.QWAC:
        return ()  # in a certificate that no authority has issued, its holder writes whatever names it likes
    certificate = parse_certificate(decode_client_cert(header))
    return tuple(dict.fromkeys((*certificate.dns_names, *([certificate.common_name] if certificate.common_name else []))))


def created(call: TppCall, body: object, *, location: str, headers: dict[str, str]) -> Response:
    """Answer 201 with the resource's address; `headers` name the SCA approach."""
    answer = json_answer(body, status=201, x_request_id=call.x_request_id)
    answer.headers["Location"] = location
    answer.headers.update(headers)
    return answer


def accepted(call: TppCall, body: object, *, headers: dict[str, str]) -> Response:
    """Answer 202: what is asked for waits for an authorisation (BG IG §5.6)."""
    answer = json_answer(body, status=202, x_request_id=call.x_request_id)
    answer.headers.update(headers)
    return answer


def ok(call: TppCall, body: object) -> Response:
    """Answer 200."""
    return json_answer(body, x_request_id=call.x_request_id)


def no_content(call: TppCall) -> Response:
    """Answer 204."""
    answer = json_answer(None, status=204, x_request_id=call.x_request_id)
    answer.set_data(b"")
    del answer.headers["Content-Type"]
    return answer
