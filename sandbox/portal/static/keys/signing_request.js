// A PKCS #10 signing request (RFC 2986), which proves possession of the key.

import {
  bitString,
  explicit,
  integer,
  nothing,
  objectIdentifier,
  printableString,
  sequence,
  setOfOne,
  utf8String,
} from "./der.js";
import { publicKeyInfo, signature } from "./key_pairs.js";

const ATTRIBUTES = [
  ["country", "2.5.4.6", printableString], // RFC 5280 appendix A.1: two letters, printable
  ["organisation", "2.5.4.10", utf8String],
  ["organizationIdentifier", "2.5.4.97", utf8String],
  ["commonName", "2.5.4.3", utf8String],
];

const SIGNATURES = {
  "ec-p256": () => sequence(objectIdentifier("1.2.840.10045.4.3.2")), // ecdsa-with-SHA256: no parameters (RFC 5758 §3.2)
  "rsa-3072": () => sequence(objectIdentifier("1.2.840.113549.1.1.11"), nothing()), // RFC 4055 §5
};

export async function signingRequest(key, subject) {
  const noAttributes = explicit(0);
  const info = sequence(integer(0), nameOf(subject), await publicKeyInfo(key), noAttributes);
  const signed = signatureValue(key.kind, await signature(key, info));
  return sequence(info, SIGNATURES[key.kind](), bitString(signed));
}

function nameOf(subject) {
  const parts = ATTRIBUTES.filter(([name]) => subject[name]);
  return sequence(
    ...parts.map(([name, oid, written]) => setOfOne(sequence(objectIdentifier(oid), written(subject[name])))),
  );
}

function signatureValue(kind, raw) {
  if (kind !== "ec-p256") return raw;
  const half = raw.length / 2;
  return sequence(integer(raw.subarray(0, half)), integer(raw.subarray(half))); // RFC 3279 §2.2.3
}
