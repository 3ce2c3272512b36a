"""The wall: all stations on one page, kept up to date."""
