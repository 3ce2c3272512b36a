"""Where bytes are kept: media by digest, ledgers by unit, receipts in one file."""
