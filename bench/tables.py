"""Figures and tables as docs/performance.md has them."""
import statistics


def figure(values, form="%.2f"):
    """The median, with the lowest and the highest."""
    middle = form % statistics.median(values)
    return middle if len(values) == 1 else "%s (%s–%s)" % (middle, form % min(values), form % max(values))


def table(head, rows):
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [head, ["---"] * len(head), *rows]) + "\n"
