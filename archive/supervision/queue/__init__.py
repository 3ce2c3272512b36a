"""Exceptions: stations that need an answer, who gave it, and who is called when nobody does."""
