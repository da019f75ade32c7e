"""Whole journeys of a TPP, from its certificate to the data: account information, payments of each kind, funds."""
