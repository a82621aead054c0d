"""Names of files as text that a message, a list or a terminal can show."""

__all__ = ["printable"]


def printable(name: str) -> str:
    r"""``name`` with bytes that are not UTF-8, control and direction characters escaped.

    Example:
        >>> printable("a\nb.png")
        'a\\nb.png'
    """
    visible = name.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in visible)
