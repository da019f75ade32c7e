"""Kontoblick, the demo app: a TPP as a person sees it. Everything it says to the bank goes through the `tpp_client` library."""
