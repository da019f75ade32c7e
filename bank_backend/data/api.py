"""Test data of a tenant: made anew, made more of, taken out, brought in (docs/test-data.md)."""

from __future__ import annotations

import gzip
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Final

import orjson
from flask import Blueprint, Response, request

from bank_backend.answers import json_answer
from bank_backend.bodies import read_internal_body
from bank_backend.data.faulty_lines import DataFaulty, DataTooLarge, DataUnreadable
from bank_backend.data.reading import MOST_BYTES, MOST_UNPACKED_BYTES, read_json, read_zip
from bank_backend.data.wire import ResetBody, ShapeBody, generated_json, taken_json
from bank_backend.data.writing import as_json, as_zip
from bank_backend.errors import FieldsInvalid
from bank_backend.grounds import explanation, tell_refusal, told_of
from bank_backend.openapi.declarations import Text, operation
from bank_backend.openapi.parameters import DATA_FORMAT
from bank_backend.openapi.shapes.sandbox import DataDocument, Generated
from bank_backend.openapi.shapes.sandbox import Taken as TakenAnswer
from bank_backend.tenants.addresses import TenantRoutes
from chassis.problems import CONTENT_TYPE, problem

if TYPE_CHECKING:
    from flask import Flask

    from bank_backend.data.reading import Numbered
    from bank_backend.data.service import TestBank
    from bank_backend.services import Services
    from bank_backend.tenants.service import TenantRegistry
    from psd2.ids import TenantId

_JSON, _ZIP = "application/json", "application/zip"
_FORMATS: Final = ("json", "csv")


def take_large_bodies(app: Flask) -> None:
    """Let `app` take more where test data are brought in; before anything looks at a body. The edge has a bound of its own."""

    def widen() -> None:
        if request.path.endswith("/data/import"):
            request.max_content_length = MOST_BYTES

    app.before_request(widen)


def register(app: Flask, services: Services) -> None:
    """Add the routes."""
    routes = Blueprint("data", __name__)
    views = _Views(services.test_data.bank, services.tenants, sandbox_mode=services.settings.sandbox_mode)
    addresses = TenantRoutes(routes, services.tenants)
    addresses.add_heavy("/data/reset", views.reset_data, "POST", gate=services.heavy_work)
    addresses.add_heavy("/data/generate", views.generate_data, "POST", gate=services.heavy_work)
    addresses.add_heavy("/data/export", views.export_data, "GET", gate=services.heavy_work)
    addresses.add_heavy("/data/import", views.import_data, "POST", gate=services.heavy_work)
    app.register_blueprint(routes)


class _Views:
    def __init__(self, bank: TestBank, tenants: TenantRegistry, *, sandbox_mode: bool) -> None:
        self._bank = bank
        self._tenants = tenants
        self._sandbox_mode = sandbox_mode

    @operation("Make the test data anew", body=ResetBody, answers={200: TakenAnswer})
    def reset_data(self, tenant: TenantId) -> Response:
        body = read_internal_body(request.get_data() or b"{}", ResetBody)
        return json_answer(taken_json(self._bank.reset(tenant, seed=body.seed)))

    @operation("Make more test data, by seed and shape", body=ShapeBody, answers={201: Generated})
    def generate_data(self, tenant: TenantId) -> Response:
        known = self._tenants.tenant(tenant)
        shape = read_internal_body(request.get_data(), ShapeBody).parsed(country=known.country)
        return json_answer(generated_json(self._bank.generate(tenant, shape), known.persona_password), status=201)

    @operation("Take all test data out", answers={200: {_JSON: DataDocument, _ZIP: Text("CSV files.")}}, query=(DATA_FORMAT,))
    def export_data(self, tenant: TenantId) -> Response:
        wanted = request.args.get("format", "json")
        if wanted not in _FORMATS:
            raise FieldsInvalid({"format": f"{wanted[:20]!r} is not offered: write one of {', '.join(_FORMATS)}"})
        lines = self._bank.lines(tenant)
        content, content_type = (as_json(lines), _JSON) if wanted == "json" else (as_zip(lines), _ZIP)
        name = f"test-data.{'json' if wanted == 'json' else 'zip'}"
        return Response(content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    @operation(
        "Bring test data in, in the place of what is there",
        body={_JSON: DataDocument, _ZIP: Text("CSV files.")},
        answers={200: TakenAnswer},
    )
    def import_data(self, tenant: TenantId) -> Response:
        try:
            return json_answer(taken_json(self._bank.take(tenant, _lines())))
        except DataFaulty as error:
            return self._faulty(error)

    def _faulty(self, error: DataFaulty) -> Response:
        lines = [line.as_json() for line in error.lines]
        body = problem(error.status, error.problem_code, error.title, error.text, errors=lines, count=error.count)
        if self._sandbox_mode:
            body |= explanation(told_of(error))
        answer = Response(orjson.dumps(body), status=error.status, content_type=CONTENT_TYPE)
        tell_refusal(answer, error)
        return answer


def _lines() -> Numbered:
    data = request.get_data()
    if request.headers.get("Content-Encoding") == "gzip":
        data = _unzipped(data)
    if request.mimetype == _JSON:
        return read_json(data)
    if request.mimetype == _ZIP:
        return read_zip(data)
    raise DataUnreadable(f"Content-Type {request.mimetype[:60]!r} is not taken: send {_JSON} or {_ZIP}")


def _unzipped(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            unpacked = file.read(MOST_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataUnreadable(f"the body is not compressed by gzip: {error}") from None
    if len(unpacked) > MOST_UNPACKED_BYTES:
        raise DataTooLarge(f"unpacked it is more than {MOST_UNPACKED_BYTES // 1024 // 1024} MiB")
    return unpacked
