"""The bank's customers (PSUs) and how they prove who they are."""
