"""The portal: pages for people, certificates' status for machines, the registration API."""
