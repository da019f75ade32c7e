"""Whole journeys of a TPP, from its certificate to the data: AIS, PIS, PIIS."""
