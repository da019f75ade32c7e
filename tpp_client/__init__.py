"""The TPP simulator: a client library in request/process pairs, journeys and attacks, and the `tpp` command."""
