"""The command line: verbs grouped by who uses them. Every verb imports only what it needs."""

__version__ = "0.1.0"
