// Key pairs made by the browser (WebCrypto), and what can be done with them. Nothing here talks to anybody.

const ALGORITHMS = {
  "ec-p256": {
    made: { name: "ECDSA", namedCurve: "P-256" },
    signed: { name: "ECDSA", hash: "SHA-256" },
  },
  "rsa-3072": {
    made: { name: "RSASSA-PKCS1-v1_5", modulusLength: 3072, publicExponent: Uint8Array.of(1, 0, 1), hash: "SHA-256" },
    signed: { name: "RSASSA-PKCS1-v1_5" },
  },
};

export async function newKeyPair(kind) {
  const algorithm = ALGORITHMS[kind];
  const pair = await crypto.subtle.generateKey(algorithm.made, true, ["sign", "verify"]);
  return { kind, pair };
}

export async function publicKeyInfo({ pair }) {
  return new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
}

export async function privateKeyInfo({ pair }) {
  return new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey));
}

// ECDSA signatures come as r and s one after the other (IEEE P1363), RSA ones as they are.
export async function signature({ kind, pair }, message) {
  return new Uint8Array(await crypto.subtle.sign(ALGORITHMS[kind].signed, pair.privateKey, message));
}
