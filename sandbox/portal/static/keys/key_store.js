// Key and certificates in one PKCS #12 file (RFC 7292): PBES2 with AES-256, and a MAC by HMAC-SHA-256.

import {
  bmpString,
  concatenated,
  explicit,
  implicitOctetString,
  integer,
  nothing,
  objectIdentifier,
  octetString,
  sequence,
  setOfOne,
  utf16,
} from "./der.js";

const OID = {
  data: "1.2.840.113549.1.7.1",
  encryptedData: "1.2.840.113549.1.7.6",
  keyBag: "1.2.840.113549.1.12.10.1.2",
  certificateBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacWithSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
  sha256: "2.16.840.1.101.3.4.2.1",
};
const ENCRYPTION_ROUNDS = 100000;
const MAC_ROUNDS = 10000; // one call of WebCrypto each
const SALT_OCTETS = 16;
const BLOCK_OCTETS = 64; // of SHA-256
const MAC_KEY = 3; // RFC 7292 appendix B.3
const MOST_LETTERS = 32; // of the passphrases made here: 24 letters of 32 are 120 bits
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

// `privateKey` is a PKCS #8 PrivateKeyInfo; the first of `chain` is the certificate of that key. All DER.
export async function keyStore({ privateKey, chain, name, passphrase }) {
  const keyId = new Uint8Array(await crypto.subtle.digest("SHA-256", chain[0]));
  const certificates = chain.map((each, place) => certificateBag(each, place === 0 ? attributes(name, keyId) : []));
  const key = await encrypted(privateKey, passphrase);
  const safe = sequence(
    await encryptedContent(sequence(...certificates), passphrase),
    content(sequence(bag(OID.keyBag, sequence(key.algorithm, octetString(key.ciphertext)), attributes(name, keyId)))),
  );
  return sequence(integer(3), content(safe), await mac(safe, passphrase));
}

export function newPassphrase() {
  const octets = crypto.getRandomValues(new Uint8Array(24));
  const letters = Array.from(octets, (octet) => ALPHABET[octet % MOST_LETTERS]).join("");
  return letters.match(/.{4}/g).join("-");
}

function content(der) {
  return sequence(objectIdentifier(OID.data), explicit(0, octetString(der)));
}

async function encryptedContent(der, passphrase) {
  const { algorithm, ciphertext } = await encrypted(der, passphrase);
  const info = sequence(objectIdentifier(OID.data), algorithm, implicitOctetString(0, ciphertext));
  return sequence(objectIdentifier(OID.encryptedData), explicit(0, sequence(integer(0), info)));
}

function certificateBag(der, marks) {
  const value = sequence(objectIdentifier(OID.x509Certificate), explicit(0, octetString(der)));
  return bag(OID.certificateBag, value, marks);
}

function bag(kind, value, marks) {
  return sequence(objectIdentifier(kind), explicit(0, value), ...marks);
}

// The set of both, sorted as DER asks: the shorter element has the smaller length octet (X.690 §11.6).
function attributes(name, keyId) {
  const marks = [
    sequence(objectIdentifier(OID.friendlyName), setOfOne(bmpString(name))),
    sequence(objectIdentifier(OID.localKeyId), setOfOne(octetString(keyId))),
  ];
  marks.sort((one, other) => one.length - other.length);
  return [setOfOne(concatenated(marks))];
}

async function encrypted(der, passphrase) {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_OCTETS));
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const key = await encryptionKey(passphrase, salt);
  const ciphertext = new Uint8Array(await crypto.subtle.encrypt({ name: "AES-CBC", iv }, key, der));
  return { algorithm: pbes2(salt, iv), ciphertext };
}

async function encryptionKey(passphrase, salt) {
  const secret = await crypto.subtle.importKey("raw", new TextEncoder().encode(passphrase), "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", salt, iterations: ENCRYPTION_ROUNDS, hash: "SHA-256" };
  return crypto.subtle.deriveKey(derivation, secret, { name: "AES-CBC", length: 256 }, false, ["encrypt"]);
}

// RFC 8018 appendix A.4
function pbes2(salt, iv) {
  const pseudorandom = sequence(objectIdentifier(OID.hmacWithSha256), nothing());
  const derivation = sequence(octetString(salt), integer(ENCRYPTION_ROUNDS), pseudorandom);
  return sequence(
    objectIdentifier(OID.pbes2),
    sequence(
      sequence(objectIdentifier(OID.pbkdf2), derivation),
      sequence(objectIdentifier(OID.aes256Cbc), octetString(iv)),
    ),
  );
}

async function mac(safe, passphrase) {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_OCTETS));
  const octets = await macKey(passphrase, salt);
  const key = await crypto.subtle.importKey("raw", octets, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const digest = new Uint8Array(await crypto.subtle.sign("HMAC", key, safe));
  const algorithm = sequence(objectIdentifier(OID.sha256), nothing());
  return sequence(sequence(algorithm, octetString(digest)), octetString(salt), integer(MAC_ROUNDS));
}

// RFC 7292 appendix B.2, for a key as long as one digest, so that one round of its outer loop is all.
async function macKey(passphrase, salt) {
  const diversifier = new Uint8Array(BLOCK_OCTETS).fill(MAC_KEY);
  let digest = concatenated([diversifier, repeated(salt), repeated(concatenated([utf16(passphrase), Uint8Array.of(0, 0)]))]);
  for (let round = 0; round < MAC_ROUNDS; round += 1) digest = new Uint8Array(await crypto.subtle.digest("SHA-256", digest));
  return digest;
}

// As often as it takes to fill whole blocks.
function repeated(octets) {
  const whole = new Uint8Array(Math.ceil(octets.length / BLOCK_OCTETS) * BLOCK_OCTETS);
  return whole.map((_, at) => octets[at % octets.length]);
}
