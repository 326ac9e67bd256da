"""Colours of correlations, which readers with colour blindness distinguish."""

Colour = tuple[float, float, float]

# The ends of the scale, and its middle, in sRGB from 0 to 1.
NEGATIVE, MIDDLE, POSITIVE = (0.0, 0.447, 0.698), (0.97, 0.97, 0.97), (0.835, 0.369, 0.0)
_BLACK, _WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def correlation_colours(r: float) -> tuple[str, str]:
    """Return the background and the text colour of a correlation.

    The contrast is at least 4.5, as WCAG 2.2, 1.4.3 demands.

    Examples
    --------
    >>> from lmoo.results.report.colours import correlation_colours
    >>> correlation_colours(0.0), correlation_colours(-1.0)
    (('#f7f7f7', '#000000'), ('#0072b2', '#ffffff'))
    """
    share = min(abs(r), 1.0) if r == r else 0.0
    end = NEGATIVE if r < 0.0 else POSITIVE
    ground: Colour = tuple(  # type: ignore[assignment]
        a + share * (b - a) for a, b in zip(MIDDLE, end, strict=True)
    )
    text = max((_BLACK, _WHITE), key=lambda colour: contrast(ground, colour))
    return _hex(ground), _hex(text)


def contrast(first: Colour, second: Colour) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(255 * c):02x}" for c in colour)
