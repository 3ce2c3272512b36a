"""Playlists: text from rows (form, live, choose, replay), what is kept of it (feed, shelf), and who asks (routes)."""
