// PEM (RFC 7468): DER in base64 between two marks.

export function pem(label, der) {
  const base64 = btoa(Array.from(der, (octet) => String.fromCharCode(octet)).join(""));
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g).join("\n")}\n-----END ${label}-----\n`;
}

// Every certificate in a text, as DER, in its order.
export function certificates(text) {
  const blocks = text.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g);
  return Array.from(blocks, ([, base64]) => Uint8Array.from(atob(base64.replace(/\s/g, "")), (each) => each.charCodeAt(0)));
}
