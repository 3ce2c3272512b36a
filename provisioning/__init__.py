"""The election authority's side: keys, certificates and configuration for units."""
