"""Who works with the portal: developers, their organisations, their sessions."""
