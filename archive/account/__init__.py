"""What the archive knows of stations: their days in a verifier's words, their states, and all gaps and incidents."""
