"""The public site: what anybody may see, replay, download and check."""
