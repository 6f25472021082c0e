"""Words of messages: long values abbreviated, names suggested."""

import difflib

# Characters that a value may have in a message, and those kept of its end. Chosen by hand: three
# lines show what kind of value it is, and the end shows where it stops.
MOST, END = 240, 40
# Similarity (of difflib, between 0 and 1) from which on a name is suggested. It is the default of
# difflib: 'features' suggests 'feature', 'implict' suggests 'implicit'.
ALIKE = 0.6


def shortened(value):
    """A value as text in one line; the middle of long text is left out."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    if len(text) <= MOST:
        return text
    return f"{text[: MOST - END]} ... {text[-END:]}"


def suggestion(name, names):
    """A sentence that names the most similar one of some names, or ""."""
    names = [known for known in names if isinstance(known, str)]
    # 'logarithmic' is rather 'log' than 'logit'.
    begun = [known for known in names if str(name).startswith(known)]
    alike = begun or difflib.get_close_matches(str(name), names, n=1, cutoff=ALIKE)
    return f" Did you mean {alike[0]!r}?" if alike else ""
