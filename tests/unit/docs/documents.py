"""The project's documents, and what can be read out of them."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
README = Path("README.md")
DOCUMENTS = tuple(
    path.relative_to(CHECKOUT)
    for path in (*sorted(CHECKOUT.glob("*.md")), *sorted((CHECKOUT / "docs").rglob("*.md")))
    if not path.is_symlink()
)


def read(document: Path) -> str:
    return (CHECKOUT / document).read_text(encoding="utf-8")


def code(document: Path) -> str:
    """What stands in code blocks and between backticks, each piece on its own line."""
    text = read(document)
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join((*blocks, *(f"`{piece}`" for piece in re.findall(r"`([^`]+)`", prose))))


def links(document: Path) -> list[str]:
    """Targets of links that stay inside the checkout."""
    targets = re.findall(r"\]\(([^)\s]+)\)", read(document))
    return [target for target in targets if "://" not in target]


def anchors(document: Path) -> set[str]:
    """Names of the headings, as a forge makes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def tables_yaml(document: Path) -> str:
    """The one complete tables.yaml of a document."""
    (block,) = re.findall(r"^```yaml\n(settings:.*?)^```", read(document), re.MULTILINE | re.DOTALL)
    return str(block)


def documented_columns(table: str) -> dict[str, str]:
    """Names and types in the reference's list of a table's columns."""
    _, _, rest = read(Path("docs/reference/lake-tables.md")).partition(f"<!-- columns: {table} -->\n\n")
    rows = rest.partition("\n\n")[0].splitlines()
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", "\n".join(rows), re.MULTILINE))
