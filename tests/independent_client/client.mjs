// openid-client over mutual TLS: one journey, named on standard input with all it needs; what was seen goes to standard output.

import { readFileSync } from "node:fs";
import { webcrypto } from "node:crypto";
import * as oauth from "openid-client";
import { Agent, fetch } from "undici";

const wish = JSON.parse(readFileSync(0, "utf8"));
const dispatcher = new Agent({
  connect: { ca: readFileSync(wish.ca), cert: readFileSync(wish.certificate), key: readFileSync(wish.key) },
});
// Where the client has a certificate of its own, the QWAC is for registration and for the bank's resources alone.
const ownDispatcher = wish.ownCertificate ? new Agent({ connect: { ca: readFileSync(wish.ca), ...wish.ownCertificate } }) : dispatcher;
const wantsQwac = /^\/(register|v1|sandbox)(\/|$)/;
const call = (url, options) => fetch(url, { ...options, dispatcher: wantsQwac.test(new URL(url).pathname) ? dispatcher : ownDispatcher });
const seen = {};

// --- what every client does ---

async function importedKey() {
  const { alg, key: { use, ...key } } = wish.jwk;
  const algorithm = { PS256: { name: "RSA-PSS", hash: "SHA-256" }, ES256: { name: "ECDSA", namedCurve: "P-256" }, EdDSA: { name: "Ed25519" } }[alg];
  return { key: await webcrypto.subtle.importKey("jwk", key, algorithm, false, ["sign"]), kid: key.kid };
}

async function configured() {
  if (wish.registers) {
    const metadata = { redirect_uris: [wish.redirectUri], ...wish.registers };
    const config = await oauth.dynamicClientRegistration(new URL(wish.issuer), metadata, oauth.TlsClientAuth(), {
      algorithm: "oauth2",
      [oauth.customFetch]: call,
    });
    seen.registered = config.clientMetadata();
    wish.clientId = seen.registered.client_id;
    wish.metadata = { ...seen.registered, ...wish.metadata };
  }
  const authentication = wish.jwk && wish.metadata?.token_endpoint_auth_method === "private_key_jwt" ? oauth.PrivateKeyJwt(await importedKey()) : oauth.TlsClientAuth();
  const metadata = { use_mtls_endpoint_aliases: true, ...wish.metadata };
  const config = await oauth.discovery(new URL(wish.issuer), wish.clientId, metadata, authentication, {
    algorithm: "oauth2",
    [oauth.customFetch]: call,
  });
  config[oauth.customFetch] = call;
  return config;
}

async function newConsent() {
  const answer = await call(`${wish.edge}/v1/consents`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Request-ID": webcrypto.randomUUID(), "PSU-IP-Address": "192.0.2.1", "TPP-Redirect-URI": wish.redirectUri },
    body: JSON.stringify({ access: { allPsd2: "allAccounts" }, recurringIndicator: true, validUntil: "9999-12-31", frequencyPerDay: 4 }),
  });
  const consent = await answer.json();
  if (answer.status !== 201) throw new Error(`POST /v1/consents: ${answer.status} ${JSON.stringify(consent)}`);
  return consent.consentId;
}

async function decided(url, result = "APPROVED") {
  const answer = await call(`${wish.edge}/sandbox/v1/psu-interactions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ url: String(url), psu: wish.psu, result }),
  });
  const told = await answer.json();
  if (answer.status !== 200) throw new Error(`psu-interactions: ${answer.status} ${JSON.stringify(told)}`);
  return new URL(told.redirect);
}

async function approveInApp(consent) {
  const place = `${wish.edge}/v1/consents/${consent}/authorisations`;
  const answer = await call(place, { headers: { "X-Request-ID": webcrypto.randomUUID() } });
  const { authorisationIds } = await answer.json();
  const approval = await call(`${wish.edge}/sandbox/v1/psu-interactions`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ url: `${place}/${authorisationIds.at(-1)}`, psu: wish.psu, result: "APPROVED" }),
  });
  if (approval.status !== 200) throw new Error(`psu-interactions: ${approval.status} ${await approval.text()}`);
}

async function authorised(config, parameters, { pushed = false, signed = false, options } = {}) {
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const asked = {
    redirect_uri: wish.redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    ...parameters,
  };
  let url;
  if (signed) url = await oauth.buildAuthorizationUrlWithJAR(config, asked, await importedKey());
  if (pushed) url = await oauth.buildAuthorizationUrlWithPAR(config, signed ? url.searchParams : asked, options);
  url ??= oauth.buildAuthorizationUrl(config, asked);
  seen.authorizationParameters = [...url.searchParams.keys()].sort();
  const back = await decided(url);
  seen.responseParameters = [...back.searchParams.keys()].sort();
  return oauth.authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state }, undefined, options);
}

async function accounts(config, tokens, consentId, options) {
  const headers = new Headers({ "Consent-ID": consentId, "X-Request-ID": webcrypto.randomUUID(), "PSU-IP-Address": "192.0.2.1" });
  const answer = await oauth.fetchProtectedResource(config, tokens.access_token, new URL(`${wish.edge}/v1/accounts`), "GET", undefined, headers, options);
  const told = await answer.json();
  if (answer.status !== 200) throw new Error(`GET /v1/accounts: ${answer.status} ${JSON.stringify(told)}`);
  return told.accounts.length;
}

async function housekeeping(config, tokens, consentId, options) {
  seen.tokenType = tokens.token_type;
  seen.accounts = await accounts(config, tokens, consentId, options);
  seen.introspection = await oauth.tokenIntrospection(config, tokens.access_token);
  const renewed = await oauth.refreshTokenGrant(config, tokens.refresh_token, undefined, options);
  seen.accountsAfterRefresh = await accounts(config, renewed, consentId, options);
  await oauth.tokenRevocation(config, renewed.access_token);
  seen.afterRevocation = await oauth.tokenIntrospection(config, renewed.access_token);
}

// --- journeys ---

const journeys = {
  async code(config) {
    const consent = await newConsent();
    await housekeeping(config, await authorised(config, { scope: `AIS:${consent}` }), consent);
  },
  async pushed(config) {
    const consent = await newConsent();
    await housekeeping(config, await authorised(config, { scope: `AIS:${consent}` }, { pushed: true }), consent);
  },
  async signed(config) {
    oauth.useJwtResponseMode(config);
    const consent = await newConsent();
    await housekeeping(config, await authorised(config, { scope: `AIS:${consent}` }, { pushed: true, signed: true }), consent);
  },
  async dpop(config) {
    const options = { DPoP: oauth.getDPoPHandle(config, await oauth.randomDPoPKeyPair("ES256")) };
    const consent = await newConsent();
    await housekeeping(config, await authorised(config, { scope: `AIS:${consent}` }, { pushed: true, options }), consent, options);
  },
  async details(config) {
    const details = [{ type: "account_information", access: { allPsd2: "allAccounts" }, recurringIndicator: true, validUntil: "9999-12-31", frequencyPerDay: 4 }];
    const tokens = await authorised(config, { authorization_details: JSON.stringify(details) }, { pushed: true });
    seen.details = tokens.authorization_details;
    seen.accounts = await accounts(config, tokens, tokens.authorization_details[0].consentId);
  },
  async credentials(config) {
    const tokens = await oauth.clientCredentialsGrant(config);
    seen.introspection = await oauth.tokenIntrospection(config, tokens.access_token);
  },
  async backchannel(config) {
    const consent = await newConsent();
    const begun = await oauth.initiateBackchannelAuthentication(config, { scope: `AIS:${consent}`, login_hint: wish.psu, binding_message: "W4SCT" });
    seen.begun = Object.keys(begun).sort();
    await approveInApp(consent);
    const tokens = await oauth.pollBackchannelAuthenticationGrant(config, begun, undefined, { signal: AbortSignal.timeout(60_000) });
    seen.accounts = await accounts(config, tokens, consent);
  },
};

try {
  const config = await configured();
  seen.issuer = config.serverMetadata().issuer;
  await journeys[wish.journey](config);
} catch (error) {
  seen.failure = { name: error.name, message: error.message, code: error.code, error: error.error, description: error.error_description, cause: String(error.cause?.message ?? JSON.stringify(error.cause ?? null)) };
}
process.stdout.write(JSON.stringify(seen));
for (const each of new Set([dispatcher, ownDispatcher])) await each.close();
