// DER (X.690): the few types that signing requests and key stores are made of.

export function concatenated(parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function lengthOctets(length) {
  if (length < 0x80) return Uint8Array.of(length);
  const octets = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

function element(tag, ...contents) {
  const body = concatenated(contents);
  return concatenated([Uint8Array.of(tag), lengthOctets(body.length), body]);
}

export const sequence = (...items) => element(0x30, ...items);
// Only sets of one are needed, so that nothing has to be sorted (X.690 §11.6).
export const setOfOne = (item) => element(0x31, item);
export const explicit = (number, ...contents) => element(0xa0 | number, ...contents);
export const octetString = (bytes) => element(0x04, bytes);
export const implicitOctetString = (number, bytes) => element(0x80 | number, bytes);
export const bitString = (bytes) => element(0x03, Uint8Array.of(0), bytes);
export const nothing = () => element(0x05);
export const utf8String = (text) => element(0x0c, new TextEncoder().encode(text));
export const printableString = (text) => element(0x13, new TextEncoder().encode(text));
export const bmpString = (text) => element(0x1e, utf16(text));

// An unsigned number, from its octets or as a JavaScript number.
export function integer(value) {
  const octets = typeof value === "number" ? numberOctets(value) : value;
  let start = 0;
  while (start < octets.length - 1 && octets[start] === 0) start += 1;
  const shortest = octets.subarray(start);
  return shortest[0] & 0x80 ? element(0x02, Uint8Array.of(0), shortest) : element(0x02, shortest);
}

function numberOctets(number) {
  const octets = [];
  for (let rest = number; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.from(octets.length ? octets : [0]);
}

export function objectIdentifier(dotted) {
  const [first, second, ...others] = dotted.split(".").map(Number);
  return element(0x06, Uint8Array.from([first * 40 + second, ...others].flatMap(base128)));
}

function base128(arc) {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) octets.unshift(0x80 | (rest % 128));
  return octets;
}

// UTF-16, the most significant octet first.
export function utf16(text) {
  const octets = new Uint8Array(text.length * 2);
  for (let at = 0; at < text.length; at += 1) {
    octets[at * 2] = text.charCodeAt(at) >> 8;
    octets[at * 2 + 1] = text.charCodeAt(at) & 0xff;
  }
  return octets;
}
