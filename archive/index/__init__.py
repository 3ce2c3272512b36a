"""What the archive has, in a database that can be rebuilt from ledgers and media."""
