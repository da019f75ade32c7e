"""What a bank asks beyond the minimum: it names it in its refusal, and gets it at the second try (BG IG §14.11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tpp_client.refusals import is_refused_for

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tpp_client.journeys.stage import Stage
    from tpp_client.wire import HttpResponse

_USER_AGENT: Final = "Mozilla/5.0 (compatible; tpp simulator)"


def initiated(stage: Stage, send: Callable[[Mapping[str, str]], HttpResponse]) -> HttpResponse:
    """Return the answer to an initiation, sent once more with the headers that the bank misses, if we know them."""
    response = send({})
    missed = {name: value for name, value in _known(stage).items() if is_refused_for(response, name)}
    if not missed:
        return response
    stage.narrator.fact("asked for", ", ".join(missed))
    return send(missed)


def _known(stage: Stage) -> dict[str, str]:
    """Return what a TPP in front of a browser knows; sent where it is asked for, since each may steer a bank's SCA."""
    named = {"PSU-ID": stage.psu_id} if stage.psu_id else {}
    return named | {"PSU-User-Agent": _USER_AGENT, "TPP-Redirect-URI": stage.redirect_uri}
