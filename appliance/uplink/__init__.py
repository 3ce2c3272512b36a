"""The station's link to the archive: ledger first, then the live edge, then what is missing (spec/upload.md)."""
