"""A TPP's tenant at the bank as its owner sees it: personas, accounts, books, messages."""
