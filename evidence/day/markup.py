"""SVG as text: escaping, numbers, links."""


def escape(text: str) -> str:
    """``text`` for XML content and attributes; characters that XML forbids become U+FFFD."""
    table = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
    return "".join(table.get(char, char if _lawful(char) else "\ufffd") for char in text)


def _lawful(char: str) -> bool:
    code = ord(char)
    return char in "\t\n" or 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF


def short(value: float) -> str:
    """A coordinate with two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def linked(href: str, label: str, body: str) -> str:
    """``body`` with its tooltip, and as a link where ``href`` is not empty.

    Raises ValueError for a link that leads to another site.
    """
    title = f"<title>{escape(label)}</title>" if label else ""
    if not href:
        return f"<g>{title}{body}</g>" if title else body
    if href[0] not in "#?/" or href.startswith("//"):
        raise ValueError("a link of the day line leads within its own page or site")
    return f'<a href="{escape(href)}">{title}{body}</a>'
