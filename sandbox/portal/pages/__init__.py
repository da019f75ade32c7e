"""The portal's pages for people; each module makes one blueprint."""
