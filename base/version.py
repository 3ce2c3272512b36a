"""The version of this software, as ledgers and command lines name it."""

VERSION = "0.1.0"
SOFTWARE = f"unbroken {VERSION}"
