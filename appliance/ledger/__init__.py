"""The unit's own ledger: what it holds, and how lines are added."""
