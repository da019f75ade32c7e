"""A .zip to unpack where one works: certificates, what to trust and `client.json`, laid out as `tpp --home` expects them.

The key is in it only where it was made here and is handed over this once.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import orjson

from sandbox.ca.model import TppCertificateKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from sandbox.ca.model import Fault

_PUBLIC, _PRIVATE = 0o644, 0o600
_REGULAR_FILE = 0o100000
_UNIX = 3


def client_document(data: Mapping[str, Any], *, cafile: str, access_token: str | None) -> dict[str, Any]:
    """Return what `client.json` holds; its paths are relative to itself."""
    pairs = {kind.value: {"certificate": f"{kind}.crt", "key": f"{kind}.key"} for kind in TppCertificateKind}
    document = {**data, "cafile": cafile, "certificates": pairs}
    return document if access_token is None else {**document, "registration_access_token": access_token}


def kit(
    data: Mapping[str, Any],
    *,
    kind: TppCertificateKind,
    fault: Fault | None,
    certificate: str,
    private_key: str | None,
    trust: bytes,
    at: datetime,
) -> bytes:
    """Return the .zip; `data` is the TPP's client data, texts are PEM. A faulty certificate goes into `faults/`."""
    folder = f"certs/tpps/{data['name']}"
    stem = f"{folder}/faults/{fault}" if fault else f"{folder}/{kind}"
    client = orjson.dumps(client_document(data, cafile="../../trust.pem", access_token=None), option=orjson.OPT_INDENT_2)
    files = {
        "certs/trust.pem": (trust, _PUBLIC),
        f"{folder}/client.json": (client + b"\n", _PRIVATE),
        f"{stem}.crt": (certificate.encode(), _PUBLIC),
    }
    if private_key is not None:
        files[f"{stem}.key"] = (private_key.encode(), _PRIVATE)
    return _zipped(files, at)


def _zipped(files: Mapping[str, tuple[bytes, int]], at: datetime) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry, body in _entries(files, at):
            archive.writestr(entry, body)
    return buffer.getvalue()


def _entries(files: Mapping[str, tuple[bytes, int]], at: datetime) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    for name, (body, mode) in files.items():
        entry = zipfile.ZipInfo(name, date_time=(at.year, at.month, at.day, at.hour, at.minute, at.second))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.create_system = _UNIX  # so that unpacking keeps the mode
        entry.external_attr = (_REGULAR_FILE | mode) << 16
        yield entry, body
