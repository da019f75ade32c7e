// The page on which the browser makes a key: only the signing request is sent, everything else stays here.

import { newKeyPair, privateKeyInfo } from "./key_pairs.js";
import { keyStore, newPassphrase } from "./key_store.js";
import { certificates, pem } from "./pem.js";
import { signingRequest } from "./signing_request.js";

const of = (id) => document.getElementById(id);
const form = of("browser-form");
let made = null; // { privateKey, chain }
let isSaved = false;

if (globalThis.crypto?.subtle) {
  of("browser-note").hidden = true;
  form.hidden = false;
  form.addEventListener("submit", makeAndSend);
  of("store-form").addEventListener("submit", saveStore);
  of("save-key").addEventListener("click", () => (isSaved = true));
  addEventListener("beforeunload", keepUnsaved);
}

async function makeAndSend(event) {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  of("browser-fault").hidden = true;
  try {
    tell("Making the key…");
    const key = await newKeyPair(of("key-kind").value);
    const request = pem("CERTIFICATE REQUEST", await signingRequest(key, form.dataset));
    tell("Asking for the certificate…");
    const issued = await ask(request);
    made = { privateKey: await privateKeyInfo(key), chain: certificates(issued.certificate) };
    show(issued);
  } catch (error) {
    complain(error.message);
    button.disabled = false;
  }
  tell("");
}

async function ask(request) {
  const body = new FormData(form);
  body.set("way", "browser");
  body.set("csr", request);
  const answer = await fetch(location.href, { method: "POST", body, headers: { Accept: "application/json" } });
  if (answer.redirected) throw new Error("You are signed out: sign in, and open this page anew.");
  const told = await answer.json().catch(() => null);
  if (!told) throw new Error(`The portal answered ${answer.status} without a reason. Try again in a moment.`);
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

function show(issued) {
  form.hidden = true;
  offer(of("save-key"), pem("PRIVATE KEY", made.privateKey));
  offer(of("save-certificate"), issued.certificate);
  of("store-passphrase").value = newPassphrase();
  of("issued-page").href = issued.page;
  of("browser-result").hidden = false;
  of("browser-result").focus();
}

async function saveStore(event) {
  event.preventDefault();
  tell("Making the file…");
  const name = `${form.dataset.name}-${form.dataset.kind}`;
  const store = await keyStore({ ...made, name, passphrase: of("store-passphrase").value });
  const link = document.createElement("a");
  link.download = `${name}.p12`;
  offer(link, store);
  link.click();
  isSaved = true;
  tell("");
}

function offer(link, content) {
  link.href = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
}

function keepUnsaved(event) {
  if (made && !isSaved) event.preventDefault();
}

function tell(text) {
  of("browser-status").textContent = text;
}

function complain(text) {
  of("browser-fault").textContent = text;
  of("browser-fault").hidden = false;
}
