"""Each form of a certificate in a header: what relays write, and what is none."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from gateway.relays.forms import MalformedValue, read_rfc9440_chain, read_value
from gateway.relays.model import Form
from tests.support.pki import Authority

AUTHORITY = Authority(parent=Authority("Root"))
LEAF = AUTHORITY.qwac()
PEM = LEAF.pem[: LEAF.pem.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----\n")]
BASE64 = base64.b64encode(LEAF.der).decode()
ESCAPED = quote(PEM, safe="")
ESCAPED_BY_AWS = quote(PEM, safe="+=/")
ESCAPED_CHAIN = quote(LEAF.pem, safe="+=/")
OTHER_HASH = "00" * 32


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (Form.RFC9440, f":{BASE64}:"),
        (Form.NGINX, ESCAPED),
        (Form.NGINX, quote(PEM.rstrip("\n").replace("\n", "\r\n"), safe="")),
        (Form.AWS_ALB, ESCAPED_BY_AWS),
        (Form.AWS_ALB, ESCAPED_CHAIN),
        (Form.BASE64_DER, BASE64),
        (Form.BASE64_DER, f" {BASE64}\t"),
        (Form.XFCC, f'Cert="{ESCAPED}"'),
        (Form.XFCC, f'By=spiffe://a/b;Hash={LEAF.sha256};Cert="{ESCAPED}";Subject="CN=\\"a,b;c\\"";URI=;DNS=a;DNS=b'),
    ],
)
def test_what_relays_write_is_read(form: Form, value: str) -> None:
    assert read_value(form, value).leaf == LEAF.der


def test_what_stood_above_the_leaf_is_kept_apart() -> None:
    """AWS's pass-through mode sends all that the client sent, the leaf first."""
    assert len(read_value(Form.AWS_ALB, ESCAPED_CHAIN).chain) == 1
    assert read_rfc9440_chain([f":{BASE64}:, :{BASE64}:", f":{BASE64}:"]) == (LEAF.der,) * 3


RAW_PLUS = ESCAPED.replace("%2B", "+").replace("%2F", "/")
MALFORMED = {
    "nothing": (Form.RFC9440, ""),
    "no colons": (Form.RFC9440, BASE64),
    "two of them": (Form.RFC9440, f":{BASE64}:, :{BASE64}:"),
    "a parameter": (Form.RFC9440, f":{BASE64}:;a=1"),
    "folded": (Form.RFC9440, f":{BASE64[:60]}\r\n {BASE64[60:]}:"),
    "a space inside": (Form.BASE64_DER, f"{BASE64[:60]} {BASE64[60:]}"),
    "no DER": (Form.RFC9440, f":{base64.b64encode(b'hello').decode()}:"),
    "bytes after it": (Form.BASE64_DER, base64.b64encode(LEAF.der + b"\x00").decode()),
    "two in one": (Form.BASE64_DER, base64.b64encode(LEAF.der * 2).decode()),
    "URL-safe base64": (Form.BASE64_DER, "-_" + BASE64[2:]),
    "PEM as it is": (Form.NGINX, PEM.replace("\n", " ")),
    "nginx's old form with tabs": (Form.NGINX, PEM.replace("\n", "\t")),
    "escaped as a form": (Form.NGINX, quote(PEM, safe="").replace("%20", "+")),
    "half an escape": (Form.NGINX, ESCAPED + "%4"),
    "two where one is meant": (Form.NGINX, quote(LEAF.pem, safe="")),
    "text before": (Form.NGINX, "hello" + ESCAPED),
    "text between": (Form.AWS_ALB, ESCAPED_BY_AWS + "hello" + ESCAPED_BY_AWS),
    "text after": (Form.AWS_ALB, ESCAPED_BY_AWS + "hello"),
    "a key": (Form.AWS_ALB, quote(PEM.replace("CERTIFICATE", "PRIVATE KEY"), safe="+=/")),
    "eleven": (Form.AWS_ALB, ESCAPED_BY_AWS * 11),
    "two elements": (Form.XFCC, f'Cert="{ESCAPED}",Cert="{ESCAPED}"'),
    "a second element": (Form.XFCC, f'Cert="{ESCAPED}",By=b'),
    "an element without certificate": (Form.XFCC, f"Hash={LEAF.sha256}"),
    "two certificates": (Form.XFCC, f'Cert="{ESCAPED}";cert="{ESCAPED}"'),
    "another's hash": (Form.XFCC, f'Hash={OTHER_HASH};Cert="{ESCAPED}"'),
    "no pairs": (Form.XFCC, "hello"),
    "a quote without end": (Form.XFCC, f'Cert="{ESCAPED}'),
    "too long": (Form.BASE64_DER, "A" * 40_000),
}


@pytest.mark.parametrize(("form", "value"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_no_single_certificate_is_refused(form: Form, value: str) -> None:
    with pytest.raises(MalformedValue):
        read_value(form, value)


@pytest.mark.parametrize("values", [[""], [f":{BASE64}:,"], [f":{BASE64}:"] * 11, ["hello"]])
def test_a_chain_that_is_none_is_refused(values: list[str]) -> None:
    with pytest.raises(MalformedValue):
        read_rfc9440_chain(values)


def test_only_aws_and_envoy_leave_signs_of_base64_as_they_are() -> None:
    """Unescaped they could as well be spaces: nginx escapes them."""
    assert RAW_PLUS != ESCAPED
    with pytest.raises(MalformedValue):
        read_value(Form.NGINX, RAW_PLUS)
    assert read_value(Form.AWS_ALB, RAW_PLUS).leaf == LEAF.der
