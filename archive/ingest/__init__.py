"""The intake: verify, store, index, acknowledge (spec/upload.md)."""
