"""The press desk on the public site: hourly facts, the reconciled table, embeds, notices."""
