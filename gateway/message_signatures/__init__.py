"""HTTP message signatures as FAPI 2.0 narrows them (RFC 9421, RFC 9530): of requests judged, of responses made. No I/O."""
