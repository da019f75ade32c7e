"""How the platform is: its servers, its certificates, its revocation lists, and what the gateway has taken of them."""
