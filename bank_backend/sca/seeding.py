"""The methods that PSUs begin with: text message and bank app, some personas more than that."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from bank_backend.sca.model import MethodType
from bank_backend.sca.secrets import published_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from psd2.ids import PsuId, TenantId

# Whoever is made again has the same methods as before.
_METHODS: Final = uuid.UUID("9b0c6d0e-7a53-4f6b-8a0c-2f6f1f0b6f2d")
USUAL: Final = (MethodType.SMS, MethodType.PUSH)
ALSO: Final[Mapping[str, Sequence[MethodType]]] = {
    "anna.weber": (MethodType.EMAIL, MethodType.TOTP),
    "jonas.brandt": (MethodType.EMAIL,),
    "mira.kowalski": (MethodType.TOTP,),
    "nordlicht.gmbh": (MethodType.EMAIL, MethodType.TOTP),
}
LABELS: Final[Mapping[MethodType, str]] = {
    MethodType.SMS: "Text message",
    MethodType.EMAIL: "E-mail",
    MethodType.TOTP: "Authenticator app",
    MethodType.PUSH: "Bank app",
    MethodType.PASSKEY: "Passkey",
}


def rows_of_methods(tenant: TenantId, psus: Iterable[PsuId], *, seed: str) -> list[dict[str, object]]:
    """Return the rows of new PSUs' methods; `seed` decides the authenticators' published secrets."""
    return [
        {
            "id": str(uuid.uuid5(_METHODS, f"{tenant} {psu} {kind.value}")),
            "tenant": tenant,
            "psu": psu,
            "type": kind.value,
            "label": LABELS[kind],
            "position": position,
            "published_secret": published_secret(seed, psu) if kind is MethodType.TOTP else None,
            "sign_count": 0,
            "is_enrolled": True,
        }
        for psu in psus
        for position, kind in enumerate((*USUAL, *ALSO.get(psu, ())))
    ]
