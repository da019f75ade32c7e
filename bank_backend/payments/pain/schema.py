"""pain.001.001.03 and .09 as far as this bank takes them: the EPC's customer-to-bank guidelines, and no charges account.

EPC132-08 (SCT C2B), ISO 20022 CustomerCreditTransferInitiation V03 and V09.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from bank_backend.payments.bodies import MOST_PAYMENTS
from bank_backend.payments.pain import texts
from bank_backend.payments.pain.grammar import Choice, Element

if TYPE_CHECKING:
    from collections.abc import Callable

_PREFIX: Final = "urn:iso:std:iso:20022:tech:xsd:"
# The messages that are read, and the report of the same maintenance release that answers each.
REPORTS: Final = {"pain.001.001.03": "pain.002.001.03", "pain.001.001.09": "pain.002.001.10"}
VERSIONS: Final = {f"{_PREFIX}{name}": name for name in REPORTS}
_OLD: Final = "pain.001.001.03"
_MOST_IDENTIFICATIONS: Final = 10
_TEXT35, _TEXT70, _TEXT140 = (partial(texts.text, most=most) for most in (35, 70, 140))


def namespace_of(message: str) -> str:
    """Return the namespace of a message by its name."""
    return f"{_PREFIX}{message}"


@cache
def message_grammar(version: str) -> Element:
    """Return the grammar of a version by its name."""
    return _e("Document", _e("CstmrCdtTrfInitn", _group_header(version), _payment_information(version)))


def _e(name: str, *content: Element | Choice, least: int = 1, most: int = 1) -> Element:
    return Element(name=name, content=content, least=least, most=most)


def _t(name: str, value: Callable[[str], Any] = _TEXT35, *, least: int = 1, most: int = 1) -> Element:
    return Element(name=name, value=value, least=least, most=most)


def _o(name: str, value: Callable[[str], Any] = _TEXT35, *, most: int = 1) -> Element:
    """Return an element with a text that may be missing."""
    return _t(name, value, least=0, most=most)


def _code_or_own(name: str, *, least: int = 0) -> Element:
    return _e(name, Choice(of=(_t("Cd"), _t("Prtry"))), least=least)


def _group_header(version: str) -> Element:
    return _e(
        "GrpHdr",
        _t("MsgId"),
        _t("CreDtTm", texts.moment_text),
        _t("NbOfTxs", texts.count),
        _o("CtrlSum", texts.decimal),
        _party("InitgPty", version),
    )


def _payment_information(version: str) -> Element:
    date = _t("ReqdExctnDt", texts.date_text)
    choice = _e("ReqdExctnDt", Choice(of=(_t("Dt", texts.date_text), _t("DtTm", texts.moment_text))))
    return _e(
        "PmtInf",
        _t("PmtInfId"),
        _t("PmtMtd", texts.one_of("TRF")),
        _o("BtchBookg", texts.boolean),
        _o("NbOfTxs", texts.count),
        _o("CtrlSum", texts.decimal),
        _payment_type(),
        date if version == _OLD else choice,
        _party("Dbtr", version),
        _account("DbtrAcct", least=1),
        _agent("DbtrAgt", version),
        _party("UltmtDbtr", version, least=0),
        _o("ChrgBr", texts.charge_bearer),
        _transaction(version),
        most=MOST_PAYMENTS,
    )


def _transaction(version: str) -> Element:
    newer = () if version == _OLD else (_o("UETR"),)
    return _e(
        "CdtTrfTxInf",
        _e("PmtId", _o("InstrId"), _t("EndToEndId"), *newer),
        _payment_type(),
        _e("Amt", Element(name="InstdAmt", value=texts.decimal, attribute="Ccy")),
        _o("ChrgBr", texts.charge_bearer),
        _party("UltmtDbtr", version, least=0),
        _agent("CdtrAgt", version),
        _party("Cdtr", version, name_is_optional=False),
        _account("CdtrAcct", least=1),
        _party("UltmtCdtr", version, least=0),
        _e("Purp", _t("Cd", texts.purpose), least=0),
        _e("RmtInf", Choice(of=(_t("Ustrd", _TEXT140), _structured())), least=0),
        most=MOST_PAYMENTS,
    )


def _payment_type() -> Element:
    return _e(
        "PmtTpInf",
        _o("InstrPrty", texts.one_of("NORM", "HIGH")),
        _code_or_own("SvcLvl"),
        _code_or_own("LclInstrm"),
        _code_or_own("CtgyPurp"),
        least=0,
    )


def _structured() -> Element:
    kind = _e("Tp", _code_or_own("CdOrPrtry", least=1), _o("Issr"), least=0)
    return _e("Strd", _e("CdtrRefInf", kind, _t("Ref")))


def _party(name: str, version: str, *, least: int = 1, name_is_optional: bool = True) -> Element:
    bic = "BICOrBEI" if version == _OLD else "AnyBIC"
    other = _e("Othr", _t("Id"), _code_or_own("SchmeNm"), _o("Issr"), least=0, most=_MOST_IDENTIFICATIONS)
    newer = () if version == _OLD else (_o("LEI"),)
    birth = _e(
        "DtAndPlcOfBirth",
        _t("BirthDt", texts.date_text),
        _o("PrvcOfBirth"),
        _t("CityOfBirth"),
        _t("CtryOfBirth", texts.country),
        least=0,
    )
    identification = Choice(of=(_e("OrgId", _o(bic, texts.bic), *newer, other), _e("PrvtId", birth, other)))
    return _e(
        name,
        _t("Nm", _TEXT70, least=0 if name_is_optional else 1),
        _address(version),
        _e("Id", identification, least=0),
        _o("CtryOfRes", texts.country),
        least=least,
    )


def _address(version: str) -> Element:
    is_old = version == _OLD
    parts = (
        ("Dept", "SubDept", "StrtNm", "BldgNb", "PstCd", "TwnNm", "CtrySubDvsn")
        if is_old
        else (
            *("Dept", "SubDept", "StrtNm", "BldgNb", "BldgNm", "Flr", "PstBx", "Room", "PstCd", "TwnNm", "TwnLctnNm"),
            *("DstrctNm", "CtrySubDvsn"),
        )
    )
    lines = _o("AdrLine", _TEXT70, most=7)
    return _e("PstlAdr", *(_o(part, _TEXT70) for part in parts), _o("Ctry", texts.country), lines, least=0)


def _account(name: str, *, least: int) -> Element:
    other = _e("Othr", _t("Id", texts.account_number), _code_or_own("SchmeNm"), _o("Issr"))
    identification = _e("Id", Choice(of=(_t("IBAN", texts.iban), other)))
    return _e(name, identification, _code_or_own("Tp"), _o("Ccy", texts.currency), _o("Nm", _TEXT70), least=least)


def _agent(name: str, version: str) -> Element:
    bic = "BIC" if version == _OLD else "BICFI"
    newer = () if version == _OLD else (_o("LEI"),)
    member = _e("ClrSysMmbId", _code_or_own("ClrSysId"), _t("MmbId"), least=0)
    other = _e("Othr", _t("Id"), least=0)
    institution = _e("FinInstnId", _o(bic, texts.bic), member, *newer, _o("Nm", _TEXT140), _address(version), other)
    return _e(name, institution, least=0)
