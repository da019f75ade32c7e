"""The methods that PSUs begin with: text message and bank app, some personas more than that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert

from bank_backend.sca.model import MethodType
from bank_backend.sca.secrets import published_secret
from bank_backend.sca.tables import methods
from psd2.ids import new_uuid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bank_backend.database import Connection
    from psd2.ids import PsuId, TenantId

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


def write_methods(connection: Connection, tenant: TenantId, psus: Iterable[PsuId], *, seed: str) -> None:
    """Write the methods of new PSUs, inside the caller's transaction; `seed` decides the authenticators' published secrets."""
    rows = [
        {
            "id": new_uuid(),
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
    if rows:
        connection.execute(insert(methods), rows)
