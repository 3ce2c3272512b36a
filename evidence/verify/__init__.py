"""The rules of verification (spec/verify.md), one module for each step, and no I/O."""
