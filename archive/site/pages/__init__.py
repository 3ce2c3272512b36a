"""What the site shows: pages, open data and search."""
