"""The day of a camera as a line: values in, SVG out. One picture for pages, reports and walls."""
