"""Fragmented MP4 by hand: Annex B in, CMAF boxes out, and strict reading back. Standard library only.

Nothing in this package reads a file, a clock or a network. The contract is ``spec/segment.md``.
"""
