// Registering a TPP: the whole number as it is typed, the authority that fits the country, a short name from the long one.

const of = (id) => document.getElementById(id);
const [organisation, name, country, nca, identifier, whole] = [
  "organisation",
  "name",
  "country",
  "nca",
  "identifier",
  "whole-number",
].map(of);

function showNumber() {
  const typed = identifier.value.trim();
  whole.textContent = typed.startsWith("PSD") ? typed : `PSD${nca.value || "…"}-${typed || "…"}`;
}

function fitAuthority() {
  const fitting = Array.from(nca.options).filter((option) => option.value.startsWith(`${country.value}-`));
  if (country.value && fitting.length > 0 && !nca.value.startsWith(`${country.value}-`)) nca.value = fitting[0].value;
  showNumber();
}

function fitCountry() {
  if (nca.value) country.value = nca.value.slice(0, 2);
  showNumber();
}

// Whoever leaves the simplest profile has more to say of the client.
for (const profile of document.querySelectorAll('input[name="profile"]'))
  profile.addEventListener("change", () => (of("client-details").open ||= profile.value !== "berlin"));

// As long as nobody has written a short name of their own.
let suggested = "";

function suggestName() {
  if (name.value !== suggested) return;
  const ascii = organisation.value.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  suggested = ascii.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40).replace(/-+$/, "");
  name.value = suggested;
}

country.addEventListener("change", fitAuthority);
nca.addEventListener("change", fitCountry);
identifier.addEventListener("input", showNumber);
organisation.addEventListener("input", suggestName);
suggestName();
showNumber();
