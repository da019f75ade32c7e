"""First calls as commands for bash and zsh: curl, openssl, grep, sed and cut, as macOS and Linux both have them.

Blocks hold no comments and no `!`: an interactive zsh takes neither as they are meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sandbox.samples.model import (
    CERTIFICATE_FILE,
    CONSENT_DAYS,
    HISTORY_DAYS,
    KEY_FILE,
    PSU_IP_ADDRESS,
    TRUST_FILE,
)
from sandbox.samples.quoting import json_text, query_value, shell_quoted, shell_quoted_lines

if TYPE_CHECKING:
    from sandbox.samples.model import PaymentExample, SampleData


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One block to paste. `key` names it in links; `answer` is the shape of what comes back."""

    key: str
    title: str
    why: str
    command: str
    answer: str


_MUTUAL_TLS: Final = 'curl -sS -w "$SHOW" --cacert "$TRUST" --cert "$QWAC" --key "$KEY"'
_REQUEST_ID: Final = '-H "X-Request-ID: $(new_uuid)"'
_PSU_ADDRESS: Final = f'-H "PSU-IP-Address: {PSU_IP_ADDRESS}"'
_JSON: Final = '-H "Content-Type: application/json"'
_SHOW: Final = "printf '%s\\n' \"$ANSWER\""
# What the answer is recognised by: a PKCE verifier with its hash, and a state.
_PROOFS: Final = (
    "VERIFIER=$(openssl rand -base64 48 | tr '+/' '-_' | tr -d '=\\n')",
    "CHALLENGE=$(printf '%s' \"$VERIFIER\" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=\\n')",
    "STATE=$(openssl rand -hex 16)",
)
_ACCESS: Final = ('-H "Authorization: Bearer $TOKEN"', '-H "Consent-ID: $CONSENT_ID"')


def preparation(data: SampleData, *, root_fingerprint: str) -> Step:
    """Return the block that every other one leans on: values, two functions, the bundle to trust."""
    lines = (
        f"EDGE={shell_quoted(data.edge)}",
        f"FRONT={shell_quoted(data.front)}",
        f"CLIENT_ID={shell_quoted(data.client_id)}",
        f"REDIRECT_URI={shell_quoted(data.redirect_uri)}",
        f"TRUST={TRUST_FILE} QWAC={CERTIFICATE_FILE} KEY={KEY_FILE}",
        r"SHOW='\nHTTP %{http_code}\n'",
        r"new_uuid() { openssl rand -hex 16 | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/\1-\2-4\3-8\4-\5/'; }",
        'json_value() { grep -Eo "\\"$1\\" *: *\\"[^\\"]*\\"" | head -n 1 | cut -d \'"\' -f 4; }',
        f'curl -fsS {shell_quoted(f"{data.welcome}/trust.pem")} -o "$TRUST"',
        'openssl x509 -in "$TRUST" -noout -fingerprint -sha256',
        'openssl x509 -in "$QWAC" -noout -subject -enddate',
    )
    return Step(
        key="files",
        title="Three files and a few values",
        why=(
            f"Put your QWAC and its key, {CERTIFICATE_FILE} and {KEY_FILE}, into an empty folder and go there. "
            "trust.pem came over plain HTTP: compare its fingerprint with the one below."
        ),
        command="\n".join(lines),
        answer=f"sha256 Fingerprint={root_fingerprint}\nsubject=… {data.authorisation_number} …\nnotAfter=…",
    )


def personas() -> Step:
    """Return the call that any role may make: who can log in."""
    return Step(
        key="personas",
        title="Who can log in",
        why="The first call over mutual TLS. Your tenant's personas, with their passwords and accounts: nobody else sees them.",
        command=_call("$EDGE/sandbox/v1/data"),
        answer='{"tenant": "…", "personas": [{"psu": "anna.weber", "password": "…", "accounts": [{"iban": "…"}]}]}\nHTTP 200',
    )


def consent(data: SampleData) -> Step:
    """Return the block that asks for a consent in which the PSU chooses the accounts."""
    valid_until = (data.today + timedelta(days=CONSENT_DAYS)).isoformat()
    body = shell_quoted_lines(
        '{"access": {"accounts": [], "balances": [], "transactions": []},',
        f'"recurringIndicator": true, "validUntil": "{valid_until}",',
        '"frequencyPerDay": 4, "combinedServiceIndicator": false}',
    )
    return Step(
        key="consent",
        title="Create a consent",
        why="Which accounts it opens is left to the PSU (a bank-offered consent).",
        command=_asked(
            "CONSENT_ID",
            "consentId",
            _call("$EDGE/v1/consents", _REQUEST_ID, _PSU_ADDRESS, _JSON, f"-d {body}"),
        ),
        answer='{"consentStatus": "received", "consentId": "…", "_links": {"scaOAuth": {"href": "…"}, …}}\nHTTP 201',
    )


def funds_consent(data: SampleData) -> Step:
    """Return the block that asks for the consent to put questions about one account."""
    body = shell_quoted_lines(f'{{"account": {{"iban": {json_text(data.iban)}}}}}')
    url = "$EDGE/v2/consents/confirmation-of-funds"
    return Step(
        key="funds-consent",
        title="Create a consent for funds confirmations",
        why="It covers one account and has no end.",
        command=_asked("CONSENT_ID", "consentId", _call(url, _REQUEST_ID, _PSU_ADDRESS, _JSON, f"-d {body}")),
        answer='{"consentStatus": "received", "consentId": "…", "_links": {…}}\nHTTP 201',
    )


def payment(example: PaymentExample) -> Step:
    """Return the block that initiates a payment."""
    body = shell_quoted_lines(
        f'{{"debtorAccount": {{"iban": {json_text(example.debtor_iban)}}},',
        f'"instructedAmount": {{"currency": "{example.amount.currency}", "amount": "{example.amount.decimal}"}},',
        f'"creditorAccount": {{"iban": {json_text(example.creditor_iban)}}},',
        f'"creditorName": {json_text(example.creditor_name)},',
        '"remittanceInformationUnstructured": "First call"}',
    )
    url = "$EDGE/v1/payments/sepa-credit-transfers"
    return Step(
        key="payment",
        title="Initiate a payment",
        why=f"{example.amount} to {example.creditor_name}, another persona of the same bank.",
        command=_asked("PAYMENT_ID", "paymentId", _call(url, _REQUEST_ID, _PSU_ADDRESS, _JSON, f"-d {body}")),
        answer='{"transactionStatus": "RCVD", "paymentId": "…", "_links": {"scaOAuth": {"href": "…"}, …}}\nHTTP 201',
    )


def authorization(data: SampleData, *, scope: str, resource: str) -> Step:
    """Return the block that makes the address which the PSU's browser opens: `scope` such as `AIS` of a shell variable."""
    return _pushed(data, scope, resource) if data.pushes else _in_the_address(data, scope, resource)


def _pushed(data: SampleData, scope: str, resource: str) -> Step:
    call = _call(
        "$EDGE/par",
        "-d response_type=code",
        '--data-urlencode "client_id=$CLIENT_ID"',
        '--data-urlencode "redirect_uri=$REDIRECT_URI"',
        f'--data-urlencode "scope={scope}:${resource}"',
        '-d "state=$STATE"',
        '-d "code_challenge=$CHALLENGE"',
        "-d code_challenge_method=S256",
    )
    lines = (
        *_PROOFS,
        _asked("REQUEST_URI", "request_uri", call),
        f'AUTHORIZE_URL="$FRONT/authorize?client_id={query_value(data.client_id)}&request_uri=$REQUEST_URI"',
        "printf '%s\\n' \"$AUTHORIZE_URL\"",
    )
    return Step(
        key=f"{scope.lower()}-authorization",
        title="Push the authorization request",
        why="The bank hears of it from you, over mutual TLS (RFC 9126): the browser carries a reference and nothing else.",
        command="\n".join(lines),
        answer='{"request_uri": "urn:ietf:params:oauth:request_uri:…", "expires_in": 90}\nHTTP 201',
    )


def _in_the_address(data: SampleData, scope: str, resource: str) -> Step:
    lines = (
        *_PROOFS,
        f'AUTHORIZE_URL="$FRONT/authorize?response_type=code&client_id={query_value(data.client_id)}"',
        f'AUTHORIZE_URL="$AUTHORIZE_URL&redirect_uri={query_value(data.redirect_uri)}&scope={scope}%3A${resource}"',
        'AUTHORIZE_URL="$AUTHORIZE_URL&state=$STATE&code_challenge=$CHALLENGE&code_challenge_method=S256"',
        "printf '%s\\n' \"$AUTHORIZE_URL\"",
    )
    return Step(
        key=f"{scope.lower()}-authorization",
        title="Make the authorization URL",
        why="A fresh PKCE verifier, whose hash goes with the URL (RFC 7636), and a state. The verifier stays in your shell.",
        command="\n".join(lines),
        answer=f"{data.front}/authorize?response_type=code&…&code_challenge_method=S256",
    )


def headless_psu(data: SampleData, *, scope: str) -> Step:
    """Return the block that lets the sandbox be the PSU."""
    before, after = '{"url": "', f'", "psu": {json_text(data.psu)}, "result": "APPROVED"}}'
    body = f'{shell_quoted(before)}"$AUTHORIZE_URL"{shell_quoted(after)}'
    return Step(
        key=f"{scope.lower()}-headless",
        title="Be the PSU, without a browser",
        why=f"The sandbox logs {data.psu} in, approves, and answers where the browser would have been sent.",
        command=_asked("REDIRECT", "redirect", _call("$EDGE/sandbox/v1/psu-interactions", _JSON, f"-d {body}")),
        answer=f'{{"redirect": "{data.redirect_uri}?code=…&state=…&iss=…"}}\nHTTP 200',
    )


def browsing_psu(data: SampleData, *, scope: str) -> Step:
    """Return the block that takes the address which the PSU's browser ended at."""
    return Step(
        key=f"{scope.lower()}-browser",
        title="Or be the PSU in a browser",
        why=(
            f"Open the URL, log in as {data.psu}, choose accounts, type the code from the inbox. The browser ends at your "
            "redirect URI, even where nothing listens: paste that address. Its code is good for 60 seconds."
        ),
        command="printf 'The address your browser ended at: '; IFS= read -r REDIRECT",
        answer="",
    )


def token(*, scope: str) -> Step:
    """Return the block that exchanges the code."""
    call = _call(
        "$EDGE/token",
        "-d grant_type=authorization_code",
        '--data-urlencode "client_id=$CLIENT_ID"',
        '--data-urlencode "code=$CODE"',
        '--data-urlencode "redirect_uri=$REDIRECT_URI"',
        '--data-urlencode "code_verifier=$VERIFIER"',
    )
    code = "CODE=$(printf '%s' \"$REDIRECT\" | sed -nE 's/.*[?&]code=([^&#]*).*/\\1/p')"
    return Step(
        key=f"{scope.lower()}-token",
        title="Exchange the code for an access token",
        why="Your certificate is your client authentication, and the token is bound to it (RFC 8705): it works with no other.",
        command=f"{code}\n{_asked('TOKEN', 'access_token', call)}",
        answer='{"access_token": "…", "token_type": "Bearer", "expires_in": 600, "refresh_token": "…", "scope": "…"}\nHTTP 200',
    )


def accounts() -> Step:
    """Return the block that lists the accounts and remembers the first one."""
    return Step(
        key="accounts",
        title="Read the accounts",
        why="Those the PSU has opened to you. PSU-IP-Address tells that the PSU is there: without it frequencyPerDay counts.",
        command=_asked("ACCOUNT_ID", "resourceId", _call("$EDGE/v1/accounts", _REQUEST_ID, _PSU_ADDRESS, *_ACCESS)),
        answer='{"accounts": [{"resourceId": "…", "iban": "…", "currency": "EUR", "_links": {…}}]}\nHTTP 200',
    )


def balances() -> Step:
    """Return the block that reads the first account's balances."""
    return Step(
        key="balances",
        title="Read its balances",
        why="The same numbers as on the Test data tab.",
        command=_call("$EDGE/v1/accounts/$ACCOUNT_ID/balances", _REQUEST_ID, _PSU_ADDRESS, *_ACCESS),
        answer='{"account": {…}, "balances": [{"balanceAmount": {"amount": "…", …}, "balanceType": "…"}]}\nHTTP 200',
    )


def transactions(data: SampleData) -> Step:
    """Return the block that reads the first account's transactions."""
    since = (data.today - timedelta(days=HISTORY_DAYS)).isoformat()
    url = f"$EDGE/v1/accounts/$ACCOUNT_ID/transactions?bookingStatus=both&dateFrom={since}"
    return Step(
        key="transactions",
        title="Read its transactions",
        why="Newest first, a hundred a page; _links.next leads to the page after.",
        command=_call(url, _REQUEST_ID, _PSU_ADDRESS, *_ACCESS),
        answer='{"account": {…}, "transactions": {"booked": [{"transactionId": "…", …}], "pending": [], …}}\nHTTP 200',
    )


def payment_status() -> Step:
    """Return the block that asks how far the payment is."""
    return Step(
        key="payment-status",
        title="Follow the payment",
        why="ACCC: settled, and the payee, who banks here too, has it. RJCT: it could not be made. No token is needed.",
        command=_call("$EDGE/v1/payments/sepa-credit-transfers/$PAYMENT_ID/status", _REQUEST_ID),
        answer='{"transactionStatus": "ACCC"}\nHTTP 200',
    )


def funds_confirmation(data: SampleData) -> Step:
    """Return the block that asks whether the account covers an amount."""
    amount = f'{{"currency": "{data.amount.currency}", "amount": "{data.amount.decimal}"}}'
    body = shell_quoted_lines(f'{{"account": {{"iban": {json_text(data.iban)}}},', f'"instructedAmount": {amount}}}')
    url = "$EDGE/v1/funds-confirmations"
    return Step(
        key="funds-confirmation",
        title="Ask whether the account covers an amount",
        why="The bank says yes or no, and nothing else.",
        command=_call(url, _REQUEST_ID, *_ACCESS, _JSON, f"-d {body}"),
        answer='{"fundsAvailable": true}\nHTTP 200',
    )


def _call(url: str, *options: str) -> str:
    """Return a curl over mutual TLS; the URL holds variables and nothing that a shell would read otherwise."""
    return " \\\n  ".join((f'{_MUTUAL_TLS} "{url}"', *options))


def _asked(variable: str, name: str, call: str) -> str:
    """Return a call whose answer is shown and leaves one of its values in a variable, or a complaint."""
    value = f"{variable}=$(printf '%s' \"$ANSWER\" | json_value {name})"
    complaint = f': "${{{variable}:?was not given: read reason and hint in the answer above}}"'
    return f"ANSWER=$({call})\n{_SHOW}\n{value}\n{complaint}"
