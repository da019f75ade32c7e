"""The authorization server: the Berlin Group's OAuth approach and FAPI 2.0; what one RFC adds to the code flow is a package."""
