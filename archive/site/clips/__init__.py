"""Clips with their proof (plan, film), who is served when (turns), and lists of all that is public of a unit (bulk)."""
