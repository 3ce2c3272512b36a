"""How people are reached who do not look at the wall: webhook, e-mail, command."""
