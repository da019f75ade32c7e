"""`sandbox cert explain`: what it prints, its exit status, and what it makes of files that hold no certificate."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sandbox.cli.root import main
from tests.support.certificate_authority import setting
from tests.support.doctor import ISSUING, KEY, NOW, SUBJECT, pem, seal, strange
from tests.support.pki import DAY

Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stand in a folder where no sandbox was ever started."""
    monkeypatch.chdir(tmp_path)
    for variable in ("SANDBOX_HOME", "SANDBOX_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)


def explain(printed: Printed, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ending:
        main(["cert", "explain", *arguments])
    captured = printed.readouterr()
    return int(ending.value.code or 0), captured.out, captured.err


def written(folder: Path, data: bytes) -> str:
    path = folder / "some.crt"
    path.write_bytes(data)
    return str(path)


EXPIRED = strange(not_before=NOW - 60 * DAY, not_after=NOW - DAY)


@pytest.mark.parametrize(
    ("data", "status", "outcome"),
    [(strange(), 0, "accepted"), (pem(seal()), 0, "sound-qseal"), (EXPIRED, 1, "refused")],
    ids=["QWAC", "QSealC", "expired"],
)
def test_the_exit_status_is_the_outcome(capsys: Printed, tmp_path: Path, data: bytes, status: int, outcome: str) -> None:
    """Scripts ask whether a certificate is good before they use it."""
    ended, out, err = explain(capsys, written(tmp_path, data), "--json")

    assert (ended, err) == (status, "")
    assert json.loads(out)["outcome"] == outcome


def test_people_read_verdict_faults_and_fields(capsys: Printed, tmp_path: Path) -> None:
    """The verdict first, each fault with what is right, its clause and the gateway's answer, then every field."""
    path = written(tmp_path, pem(EXPIRED, ISSUING.certificate.public_bytes(Encoding.DER)))

    _, out, _ = explain(capsys, path)

    lines = out.splitlines()
    assert lines[0] == f"{path}: QWAC of Acme GmbH, PSDDE-BAFIN-100001"
    assert lines[1] == "The gateway refuses it: 401 CERTIFICATE_EXPIRED (mtls.expired)."
    assert lines[3].startswith("fault      it expired at ")
    assert lines[4].strip() == "right     a certificate that is valid now: `sandbox cert renew NAME`"
    assert lines[5].strip() == "clause    RFC 5280 §4.1.2.5"
    assert lines[6].strip() == "gateway   answers 401 CERTIFICATE_EXPIRED (mtls.expired)"
    assert "PSD2 roles" in out
    assert "also in the file" in out


def test_values_stand_whole_on_a_line_of_their_own(capsys: Printed, tmp_path: Path) -> None:
    """A thumbprint is there to be copied."""
    path = written(tmp_path, strange())
    document = json.loads(explain(capsys, path, "--json")[1])

    _, out, _ = explain(capsys, path)

    lines = out.splitlines()
    assert any(line.endswith(f"  {document['sha256']}") for line in lines)
    assert any(line.endswith(f"  {document['fields']['x5t#S256']['values'][0]}") for line in lines)
    assert all(len(line) <= 110 for line in lines if "http" not in line and str(tmp_path) not in line)


def test_without_a_sandbox_it_says_so_and_where_it_looked(capsys: Printed, tmp_path: Path) -> None:
    """A certificate can be read anywhere; and nothing is made by reading it."""
    _, out, _ = explain(capsys, written(tmp_path, strange()), "--home", str(tmp_path / "nowhere"))

    assert f"no sandbox has been started in {tmp_path / 'nowhere'}: --home names another folder" in out
    assert "whether the gateway trusts the issuer" in out
    assert [path.name for path in tmp_path.iterdir()] == ["some.crt"]


def test_the_authorities_of_a_home_are_enough_to_judge_the_issuer(capsys: Printed, tmp_path: Path) -> None:
    """No database, no keys: the authorities' certificates alone, as another user may read them."""
    made = setting(tmp_path / "home")
    made.authority.ensure_hierarchy()
    for key in (tmp_path / "home" / "certs" / "ca").glob("*.key"):
        key.unlink()

    ended, out, _ = explain(capsys, written(tmp_path, strange()), "--home", str(tmp_path / "home"), "--json")

    document = json.loads(out)
    assert (ended, document["refusal"]["reason"]) == (1, "mtls.untrusted")
    assert document["unchecked"] == ["records", "gateway_state"]


def test_a_damaged_home_is_no_home_to_rely_on(capsys: Printed, tmp_path: Path) -> None:
    """Fail closed: a trust store that can't be read must not end in "accepted"."""
    made = setting(tmp_path / "home")
    made.authority.ensure_hierarchy()
    (tmp_path / "home" / "certs" / "ca" / "tpp-issuing.crt").write_text("nothing")

    ended, out, err = explain(capsys, written(tmp_path, strange()), "--home", str(tmp_path / "home"))

    assert (ended, out) == (1, "")
    assert "tpp-issuing.crt: holds no certificate in PEM" in err


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (
            KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "this is a private key, of which nothing is shown",
        ),
        (b"\x00" * 100_000, "more than 65536 bytes"),
        (b"\xde\xad\xbe\xef", "neither PEM nor DER"),
        (b"", "empty"),
    ],
    ids=["key", "huge", "garbage", "empty"],
)
def test_what_is_no_certificate_ends_in_one_line(capsys: Printed, tmp_path: Path, data: bytes, complaint: str) -> None:
    path = written(tmp_path, data)

    ended, out, err = explain(capsys, path, "--json")

    assert (ended, out) == (1, "")
    assert err.startswith(f"sandbox: {path}: ")
    assert complaint in err
    assert err.count("\n") == 1


def test_an_endless_file_is_not_read_to_its_end(capsys: Printed) -> None:
    assert explain(capsys, "/dev/zero")[0] == 1


@pytest.mark.parametrize("arguments", [(), ("missing.crt",), (".",), ("a", "b"), ("--fault", "expired")])
def test_wrong_usage_is_two(capsys: Printed, arguments: tuple[str, ...]) -> None:
    ended, out, err = explain(capsys, *arguments)

    assert (ended, out) == (2, "")
    assert "Usage: sandbox cert explain" in err


def test_standard_input_is_read_too(capsys: Printed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`openssl s_client … | sandbox cert explain -`."""
    with Path(written(tmp_path, pem(strange()))).open("rb") as file:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(file))

        ended, out, _ = explain(capsys, "-")

    assert ended == 0
    assert ": QWAC of Acme GmbH" in out


def test_a_strangers_name_cannot_write_on_the_terminal(capsys: Printed, tmp_path: Path) -> None:
    der = strange(subject=[(NameOID.ORGANIZATION_NAME, "Evil\x1b[2J\u202e"), *SUBJECT[2:]])

    _, out, _ = explain(capsys, written(tmp_path, der))

    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "Evil\\x1b[2J" in out
