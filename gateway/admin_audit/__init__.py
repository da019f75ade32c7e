"""What administrators did: a record for each change, chained by hashes so that none can be taken out unseen."""
