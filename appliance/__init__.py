"""The station: what runs on the unit in the polling station."""
