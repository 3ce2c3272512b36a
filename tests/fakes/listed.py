"""The lists that spec/list.md shows."""

from pathlib import Path

_SPEC = Path(__file__).parents[2] / "spec/list.md"


def example(name: str) -> str:
    """The one between its two marks."""
    _, _, rest = _SPEC.read_text(encoding="utf-8").partition(f"<!-- {name}:begin -->\n```\n")
    shown, found, _ = rest.partition(f"```\n<!-- {name}:end -->")
    assert found
    return shown
