"""TPPs' own calls as the gateway's request log tells of them."""
