"""From access units to fragments, segments and holes. Pure: no file, no clock."""
