"""Which SCA approach an authorisation takes: the bank's order, the TPP's wishes, and what is possible (BG IG 1.3.8 §5.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bank_backend.errors import FormatError, ServiceInvalid
from bank_backend.personalities.model import ScaApproach

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bank_backend.authorisations.opening import Opening

REDIRECTS: Final = frozenset({ScaApproach.OAUTH, ScaApproach.REDIRECT})


def chosen_approach(offered: Sequence[ScaApproach], opening: Opening, *, psu_chooses: bool) -> ScaApproach:
    """Return the first approach of the bank's that is possible, those that the TPP prefers before the others.

    `psu_chooses`: a bank-offered consent, which asks for a dialogue with the PSU (BG IG §6.3.1: not embedded).
    Raises `FormatError` where only a missing TPP-Redirect-URI is in the way, `ServiceInvalid` where nothing is possible.
    """
    possible = [each for each in offered if _is_possible(each, opening, psu_chooses=psu_chooses)]
    for wish in _wishes(opening):
        # A wish that can't be fulfilled is not refused: the answer says what was chosen instead.
        possible = [each for each in possible if wish(each)] or possible
    if possible:
        return possible[0]
    if ScaApproach.REDIRECT in offered:
        text = "TPP-Redirect-URI is missing: this bank redirects the PSU, and needs the address to send it back to"
        raise FormatError(text, path="TPP-Redirect-URI")
    raise ServiceInvalid("this bank takes the PSU's approval through the TPP only, which leaves the PSU no choice of accounts")


def _is_possible(approach: ScaApproach, opening: Opening, *, psu_chooses: bool) -> bool:
    if approach is ScaApproach.REDIRECT:
        return opening.return_url is not None
    return not (approach is ScaApproach.EMBEDDED and psu_chooses)


def _wishes(opening: Opening) -> list[Callable[[ScaApproach], bool]]:
    """Return the TPP's preferences, the stronger first; both for a redirect and for decoupled leave it to the bank."""
    wishes: list[Callable[[ScaApproach], bool]] = []
    if opening.redirect_preferred is not None and not (opening.redirect_preferred and opening.decoupled_preferred):
        wishes.append(lambda approach: (approach in REDIRECTS) is opening.redirect_preferred)
    if opening.decoupled_preferred is not None and not (opening.redirect_preferred and opening.decoupled_preferred):
        wishes.append(lambda approach: (approach is ScaApproach.DECOUPLED) is opening.decoupled_preferred)
    return wishes
