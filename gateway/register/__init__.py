"""Who may speak to the bank: TPPs and their OAuth clients."""
