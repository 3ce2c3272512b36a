"""How other programs of the unit speak to the recorder."""
