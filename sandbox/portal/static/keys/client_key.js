// A key with which a client signs, made by the browser: its public half goes into the form, the private one to a file.

import { newKeyPair, privateKeyInfo } from "./key_pairs.js";
import { pem } from "./pem.js";

const of = (id) => document.getElementById(id);
const save = of("save-client-key");
let isSaved = true;

if (globalThis.crypto?.subtle) {
  of("key-maker").hidden = false;
  of("make-key").addEventListener("click", make);
  save.addEventListener("click", () => (isSaved = true));
  addEventListener("beforeunload", (event) => {
    if (!isSaved) event.preventDefault();
  });
}

async function make() {
  const keys = registered();
  if (!keys) return tell("The box above holds something that is no JWK Set: put that right first, or empty it.");
  const made = await newKeyPair("ec-p256");
  keys.unshift(await publicJwk(made.pair.publicKey));
  of("jwks").value = JSON.stringify({ keys }, null, 2);
  save.href = URL.createObjectURL(new Blob([pem("PRIVATE KEY", await privateKeyInfo(made))], { type: "application/octet-stream" }));
  save.hidden = false;
  isSaved = false;
  of("make-key").disabled = true; // one file, one key
  tell("The key is made. Save client.key now: it exists on this page alone. Then send the form.");
  save.focus();
}

// The keys in the box, to which the new one is added: the old ones go on being good.
function registered() {
  const text = of("jwks").value.trim();
  if (!text) return [];
  try {
    const document = JSON.parse(text);
    return Array.isArray(document.keys) ? document.keys : document.kty ? [document] : null;
  } catch {
    return null;
  }
}

async function publicJwk(key) {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", key);
  const thumbprint = new TextEncoder().encode(JSON.stringify({ crv, kty, x, y })); // RFC 7638 §3
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", thumbprint));
  const kid = btoa(String.fromCharCode(...digest)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return { kty, crv, x, y, kid, alg: "ES256", use: "sig" };
}

function tell(text) {
  of("key-status").textContent = text;
}
