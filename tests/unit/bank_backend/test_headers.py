"""What a TPP says in its `PSU-…` and `TPP-…` headers."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import Headers

from bank_backend.errors import FormatError
from bank_backend.headers import read_tpp_headers

GOOD = {
    "PSU-ID": "anna.weber",
    "PSU-ID-Type": "login",
    "PSU-Corporate-ID": "nordlicht",
    "PSU-Corporate-ID-Type": "company",
    "PSU-IP-Address": "2001:DB8::7",
    "PSU-IP-Port": "1234",
    "PSU-Accept": "text/html",
    "PSU-Accept-Charset": "utf-8",
    "PSU-Accept-Encoding": "gzip",
    "PSU-Accept-Language": "de",
    "PSU-User-Agent": "Mozilla/5.0",
    "PSU-Http-Method": "POST",
    "PSU-Device-ID": "99435c7e-ad88-49ec-a2ad-99ddcb1f5555",
    "PSU-Geo-Location": "GEO:52.506931;-13.144558",
    "TPP-Redirect-Preferred": "TRUE",
    "TPP-Decoupled-Preferred": "false",
    "TPP-Explicit-Authorisation-Preferred": "true",
    "TPP-Rejection-NoFunds-Preferred": "true",
    "TPP-Redirect-URI": "https://tpp.example/back?state=1",
    "TPP-Nok-Redirect-URI": "http://localhost:9000/nok",
    "TPP-Notification-URI": "https://tpp.example/notes",
    "TPP-Notification-Content-Preferred": "status=SCA, LAST",
    "TPP-Brand-Logging-Information": "Kontoblick",
}


def test_every_header_of_the_guidelines_is_read() -> None:
    """BG IG §5.3.1, §6.3.1.1: each into its field, in its type."""
    found = read_tpp_headers(Headers(list(GOOD.items())))

    assert len(found) == len(GOOD)
    assert found["psu_ip_address"] == "2001:db8::7"
    assert found["psu_ip_port"] == 1234
    assert (found["redirect_preferred"], found["decoupled_preferred"]) == (True, False)
    assert found["notification_content"] == {"SCA", "LAST"}


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PSU-IP-Address", "192.0.2", "192.0.2.7"),
        ("PSU-IP-Port", "0", "1 to 65535"),
        ("PSU-IP-Port", "65536", "1 to 65535"),
        ("PSU-IP-Port", "8o", "1 to 65535"),
        ("PSU-Http-Method", "HEAD", "PATCH or DELETE"),
        ("PSU-Device-ID", "99435c7ead8849eca2ad99ddcb1f5555", "UUID"),
        ("PSU-Geo-Location", "52.506931;13.144558", "GEO:"),
        ("PSU-Geo-Location", "GEO:91.000000;13.144558", "GEO:"),
        ("PSU-Geo-Location", "GEO:52.5;13.1", "GEO:"),
        ("PSU-ID", "", "1 to 140"),
        ("PSU-ID", "anna\N{RIGHT-TO-LEFT OVERRIDE}", "not seen"),
        ("PSU-User-Agent", "x" * 501, "1 to 500"),
        ("TPP-Redirect-Preferred", "yes", "true or false"),
        ("TPP-Explicit-Authorisation-Preferred", "1", "true or false"),
        ("TPP-Redirect-URI", "tpp.example/back", "no address"),
        ("TPP-Redirect-URI", "http://tpp.example/back", "no https address"),
        ("TPP-Redirect-URI", "https://tpp.example/back#here", "fragment"),
        ("TPP-Redirect-URI", "https://user@tpp.example/back", "user name"),
        ("TPP-Redirect-URI", "https://tpp.example/back,https://evil.example", "no address"),
        ("TPP-Redirect-URI", "https://tpp.example:port/", "no address"),
        # What stands before the backslash is the host to a browser, and what stands behind it to URL libraries.
        ("TPP-Redirect-URI", "https://evil.example\\.tpp.example/back", "no address"),
        ("TPP-Redirect-URI", "https://evil.example%2f.tpp.example/back", "no address"),
        ("TPP-Nok-Redirect-URI", "javascript:alert(1)", "no address"),
        ("TPP-Notification-Content-Preferred", "SCA", "status="),
        ("TPP-Notification-Content-Preferred", "status=SCA,SCA", "each once"),
        ("TPP-Notification-Content-Preferred", "status=ALL", "LAST"),
        ("TPP-Brand-Logging-Information", "x" * 141, "1 to 140"),
    ],
)
def test_a_wrong_value_is_named_and_told_how_to_write_it(name: str, value: str, says: str) -> None:
    """FORMAT_ERROR, its path the header (BG IG §14.11.1)."""
    with pytest.raises(FormatError, match=says) as refusal:
        read_tpp_headers(Headers([(name.title(), value)]))

    assert refusal.value.path == name
    assert refusal.value.others == ()


def test_all_that_is_wrong_is_told_at_once() -> None:
    """A developer corrects three headers in one go."""
    with pytest.raises(FormatError) as refusal:
        read_tpp_headers(Headers([("PSU-IP-Port", "x"), ("PSU-ID", "anna"), ("PSU-Http-Method", "x"), ("PSU-IP-Address", "x")]))

    assert [fault.path for fault in (refusal.value, *refusal.value.others)] == [
        "PSU-IP-Port",
        "PSU-Http-Method",
        "PSU-IP-Address",
    ]


def test_a_header_given_twice_is_refused() -> None:
    """Whoever stands between could read the other one."""
    with pytest.raises(FormatError, match="twice"):
        read_tpp_headers(Headers([("TPP-Redirect-URI", "https://a.example/"), ("tpp-redirect-uri", "https://b.example/")]))


def test_headers_that_the_guidelines_do_not_know_are_let_be() -> None:
    """HTTP has more headers than a bank."""
    assert read_tpp_headers(Headers([("PSU-Mood", "\x01"), ("Accept", "*/*"), ("TPP-Signature-Certificate", "x")])) == {}
