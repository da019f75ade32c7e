"""Upstreams as a kind of document."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Final

from gateway.configuration.model import Kind
from gateway.upstreams.bodies import UpstreamBody
from gateway.upstreams.documents import parse, untimely
from gateway.upstreams.model import BUILT_IN, Upstream

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    return "the gateway's internal one" if upstream.service else upstream.certificate_for(target) or "none"


UPSTREAMS: Final[Kind[Upstream]] = Kind(
    name="upstreams",
    summary="Servers that requests go to, and how they prove who they are",
    parse=parse,
    schema=UpstreamBody.model_json_schema,
    describe=_described,
    untimely=untimely,
    built_in=BUILT_IN,
)
