"""The mock bank: tenants, accounts, a double-entry ledger, consents, payments, SCA; Berlin Group resources."""
