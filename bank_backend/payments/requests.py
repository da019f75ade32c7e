"""What a TPP posts, in whichever of the three forms its path asks for (BG IG 1.3.8 §5.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from bank_backend.errors import FormatError
from bank_backend.payments.pain.reading import PainPlaces, instruction_of, read_message
from bank_backend.payments.service import Initiation
from bank_backend.payments.wire import JsonPlaces, read_instruction, read_standing_order
from bank_backend.personalities.model import PaymentService

if TYPE_CHECKING:
    from bank_backend.calls import TppCall
    from bank_backend.payments.instruction import Instruction
    from bank_backend.payments.products import Product
    from bank_backend.payments.rules import Places

JSON, XML, MULTIPART = "application/json", "application/xml", "multipart/form-data"
_WAITS: Final = "TPP-Rejection-NoFunds-Preferred"
XML_PART: Final = "xml_sct"
# The guidelines' table and the YAML say the first, the guidelines' example the second.
ORDER_PARTS: Final = ("json_standingorderType", "json_standingordermanagement")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")


def read_initiation(call: TppCall, service: PaymentService, product: Product) -> Initiation:
    """Read the request in hand; raises `FormatError` and its kin, or `UnsupportedMediaType` (415)."""
    document, instruction, places = _read(service, product)
    return Initiation(
        tenant=call.tenant,
        x_request_id=call.x_request_id,
        service=service,
        product=product,
        instruction=instruction,
        places=places,
        document=document,
        # BG IG §5.3.1: only "false" asks for waiting; a TPP that sends nothing has no preference.
        waits_for_funds=_WAITS in request.headers and not call.rejection_no_funds_preferred,
    )


def _read(service: PaymentService, product: Product) -> tuple[str | None, Instruction, Places]:
    if not product.is_pain:
        _require_type(JSON)
        return None, read_instruction(request.get_data(), service=service, product=product), JsonPlaces(service)
    rule = None
    if service is PaymentService.PERIODIC:
        _require_type(MULTIPART)
        document, order = _part(XML_PART), _part(*ORDER_PARTS)
        _require_no_other_part()
        rule = read_standing_order(order.encode(), product.scheme)
    else:
        _require_type(XML)
        document = _document(request.get_data())
    message = read_message(document)
    return document, instruction_of(message, service, rule), PainPlaces(message)


def _require_type(wanted: str) -> None:
    # text/xml is RFC 7303's other name of the same thing.
    given = XML if request.mimetype == "text/xml" else request.mimetype
    if given != wanted:
        text = f"Content-Type is {request.mimetype[:60] or 'missing'}: this resource reads {wanted}"
        raise UnsupportedMediaType(text)


def _part(*names: str) -> str:
    """Return the part of this name, whether it came as a field or as a file."""
    found = [value for name in names for value in request.form.getlist(name)]
    found += [_document(file.read()) for name in names for file in request.files.getlist(name)]
    if len(found) != 1:
        text = f"the part {names[0]} stands {len(found)} times in the body: it has to be there once"
        raise FormatError(text, path=names[0])
    return _DECLARATION.sub("", found[0])


def _require_no_other_part() -> None:
    for name in (*request.form, *request.files):
        if name not in {XML_PART, *ORDER_PARTS}:
            raise FormatError(f"the part {name[:40]!r} is not known here: remove it", path=name[:40])


def _document(data: bytes) -> str:
    try:
        # Without the declaration: what it says of the encoding is no longer true of a text.
        return _DECLARATION.sub("", data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FormatError(f"the XML is not UTF-8: byte {error.start} can't be read") from None
