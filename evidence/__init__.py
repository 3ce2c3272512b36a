"""The format: ledger lines, chain, keys and the rules of verification. Bytes in, values out.

Nothing in this package reads a file, a clock or a network. The contract is ``spec/``.
"""
