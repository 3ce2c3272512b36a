"""fsck for a unit's disk: does it hold what its ledger names? Reads only, also while the recorder records."""
