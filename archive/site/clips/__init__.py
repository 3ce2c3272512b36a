"""Clips with their proof, and lists for fetching a unit's whole record (docs/design/site.md, "Clips and downloads")."""

from archive.site.clips.routes import routes

__all__ = ["routes"]
