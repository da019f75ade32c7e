"""Upstreams as a kind of document."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from gateway.certificates.checks import faults_of_client
from gateway.certificates.kind import CERTIFICATES
from gateway.configuration.model import Fault, Kind, Reference
from gateway.upstreams.bodies import UpstreamBody
from gateway.upstreams.documents import parse, untimely
from gateway.upstreams.model import BUILT_IN, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from chassis.addresses import Address
    from gateway.configuration.snapshot import Snapshot


def _described(upstream: Upstream, _snapshot: Snapshot) -> Mapping[str, object]:
    pins = upstream.proof.pins if upstream.proof else ()
    return {
        "host": upstream.host.decode("ascii") if upstream.host else "the client's",
        "is_told_who_calls": upstream.passes_identity,
        "pins": sorted(base64.b64encode(pin).decode("ascii") for pin in pins),
        "shown_certificates": {str(target): _shown(upstream, target) for target in upstream.targets},
    }


def _shown(upstream: Upstream, target: Address) -> str:
    if upstream.service:
        return "the gateway's internal one"
    shown = upstream.certificate_for(target)
    if shown is None:
        return "none"
    return f"{CERTIFICATES.name}/{shown.name}" if shown.is_stored else shown.name


def _references(upstream: Upstream) -> Iterator[Reference]:
    for place, each in enumerate(upstream.client_certificates):
        if each.is_stored:
            yield Reference(f"client_certificates[{place}].stored", CERTIFICATES.name, each.name)


def _conflicts(snapshot: Snapshot) -> Iterator[Fault]:
    """Yield stored certificates by which the gateway could not prove that it is who they name."""
    certificates = snapshot.of(CERTIFICATES)
    for upstream in snapshot.of(UPSTREAMS).values():
        for reference in _references(upstream):
            certificate = certificates.get(reference.name)
            # One that is not there is told by itself.
            for problem in faults_of_client(certificate.current) if certificate else ():
                yield Fault(reference.field, problem, f"{UPSTREAMS.name}/{upstream.name}")


UPSTREAMS: Final[Kind[Upstream]] = Kind(
    name="upstreams",
    summary="Servers that requests go to, and how they prove who they are",
    parse=parse,
    schema=UpstreamBody.model_json_schema,
    references=_references,
    conflicts=_conflicts,
    describe=_described,
    untimely=untimely,
    built_in=BUILT_IN,
)
