"""Server certificates from a public CA: ordered, proved, renewed and put in force by themselves (RFC 8555)."""
