"""The register of TPPs: who they are, and the steps that let one in."""
