"""The change feed: what any process changed, so that every edge worker forgets exactly that."""
