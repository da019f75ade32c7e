"""The structure of camt.052.001.08 and camt.053.001.08 as far as we use it: order and presence of elements, sums."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml import etree

# The children of each element, in the order in which the message definitions want them; a star: may be left out.
_ORDER = {
    "Document": "BkToCstmrStmt* BkToCstmrAcctRpt*",
    "BkToCstmrStmt": "GrpHdr Stmt",
    "BkToCstmrAcctRpt": "GrpHdr Rpt",
    "GrpHdr": "MsgId CreDtTm",
    "Stmt": "Id ElctrncSeqNb* CreDtTm* FrToDt* Acct Bal Ntry*",
    "Rpt": "Id ElctrncSeqNb* CreDtTm* FrToDt* Acct Bal* Ntry*",
    "FrToDt": "FrDtTm ToDtTm",
    "Acct": "Id Tp* Ccy* Nm* Ownr* Svcr*",
    "Bal": "Tp Amt CdtDbtInd Dt",
    "Ntry": "NtryRef* Amt CdtDbtInd Sts BookgDt* ValDt* AcctSvcrRef* BkTxCd NtryDtls*",
    "NtryDtls": "Btch* TxDtls*",
    "Btch": "NbOfTxs* TtlAmt CdtDbtInd",
    "TxDtls": "Refs* Amt* CdtDbtInd* AmtDtls* RltdPties* RltdAgts* Purp* RmtInf*",
    "Refs": "AcctSvcrRef* EndToEndId* MndtId*",
    "RltdPties": "Dbtr* DbtrAcct* Cdtr* CdtrAcct*",
    "Domn": "Cd Fmly",
    "Fmly": "Cd SubFmlyCd",
    "RmtInf": "Ustrd* Strd*",
    "CcyXchg": "SrcCcy TrgtCcy* UnitCcy* XchgRate",
}
_LONGEST = {"Id": 35, "MsgId": 35, "NtryRef": 35, "AcctSvcrRef": 35, "EndToEndId": 35, "MndtId": 35, "Ustrd": 140, "Nm": 140}


@dataclass(frozen=True)
class Statement:
    """What a message says of one account: balances by type, amounts of its entries and their statuses."""

    balances: dict[str, int]
    entries: list[int]
    statuses: set[str]


def require_structure(root: etree._Element, kind: str) -> Statement:
    """Return the only account's statement; fails where the message is none of this kind."""
    assert _namespace(root) == f"urn:iso:std:iso:20022:tech:xsd:camt.{kind}.001.08"
    for element in root.iter():
        _require_children(element)
    body = root[0][1]
    named = [(one, _name(one)) for one in body]
    balances = {_only(one, "Cd"): _amount(one) for one, name in named if name == "Bal"}
    entries = [one for one, name in named if name == "Ntry"]
    return Statement(balances, [_amount(one) for one in entries], {_only(_child(one, "Sts"), "Cd") for one in entries})


def _require_children(element: etree._Element) -> None:
    name, children = _name(element), [_name(child) for child in element]
    if not children:
        text = element.text or ""
        assert text, f"{name} is empty"
        assert len(text) <= _LONGEST.get(name, 500), f"{name} is too long: {text}"
        return
    if name not in _ORDER:
        return
    wanted = _ORDER[name].split()
    known = [one.rstrip("*") for one in wanted]
    assert all(child in known for child in children), f"{name} has {children}"
    assert [known.index(child) for child in children] == sorted(known.index(child) for child in children), f"{name}: {children}"
    assert all(one in children for one in wanted if not one.endswith("*")), f"{name} lacks one of {wanted}: {children}"


def _amount(element: etree._Element) -> int:
    amount = int(Decimal(_child(element, "Amt").text or "") * 100)
    return -amount if _child(element, "CdtDbtInd").text == "DBIT" else amount


def _only(element: etree._Element, name: str) -> str:
    (found,) = [one for one in element.iter() if _name(one) == name]
    return found.text or ""


def _child(element: etree._Element, name: str) -> etree._Element:
    return next(child for child in element if _name(child) == name)


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _namespace(element: etree._Element) -> str:
    return str(element.tag)[1:].partition("}")[0]
