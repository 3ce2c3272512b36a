"""The supervision centre: all stations on one wall, and nobody forgets an exception."""
