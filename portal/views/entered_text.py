"""What people type into a field of several lines."""


def as_entered(text: str | None) -> str:
    """`text` with the line ends that were typed, trimmed: a form sends others (HTML, 4.10.21)."""
    return (text or "").replace("\r\n", "\n").strip()
