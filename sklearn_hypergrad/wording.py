"""Words of messages: long values abbreviated, names suggested."""

import difflib
import re

# Characters that a value may have in a message, and those kept of its end. Chosen by hand: three
# lines show what kind of value it is, and the end shows where it stops.
MOST, END = 240, 40
# Similarity (of difflib, between 0 and 1) from which on a name is suggested. It is the default of
# difflib: 'features' suggests 'feature', 'implict' suggests 'implicit'.
ALIKE = 0.6
# Other words for scores and losses, and the names that they may stand for here.
MEANT = {
    "acc": ("accuracy",),
    "auc": ("roc_auc",),
    "brier": ("neg_brier_score", "brier_score"),
    "cross_entropy": ("neg_log_loss", "log_loss"),
    "crossentropy": ("neg_log_loss", "log_loss"),
    "log_loss": ("neg_log_loss",),
    "logloss": ("neg_log_loss", "log_loss"),
    "mae": ("neg_mean_absolute_error", "absolute_error"),
    "mean_absolute_percentage_error": ("neg_mean_absolute_percentage_error",),
    "mean_absolute_error": ("neg_mean_absolute_error", "absolute_error"),
    "mean_squared_error": ("neg_mean_squared_error", "squared_error"),
    "mse": ("neg_mean_squared_error", "squared_error"),
    "neg_mean_squared_error": ("squared_error",),
    "r2_score": ("r2",),
    "rmse": ("neg_root_mean_squared_error", "root_squared_error"),
    "roc": ("roc_auc",),
    "sgd": ("adam",),
}
# Names in messages of scikit-learn about an option that is unknown.
LISTED = re.compile(r"a str among \{?('[^']*'(?:, '[^']*')*)\}?")


def shortened(value):
    """A value as text in one line; the middle of long text is left out."""
    text = " ".join((value if isinstance(value, str) else repr(value)).split())
    if len(text) <= MOST:
        return text
    return f"{text[: MOST - END]} ... {text[-END:]}"


def suggestion(name, names):
    """A sentence that names the most similar one of some names, or ""."""
    names = [known for known in names if isinstance(known, str)]
    same = [known for known in MEANT.get(str(name).lower(), ()) if known in names]
    if same:
        return f" Did you mean {same[0]!r}?"
    # 'logarithmic' is rather 'log' than 'logit'.
    begun = [known for known in names if str(name).startswith(known)]
    alike = begun or difflib.get_close_matches(str(name), names, n=1, cutoff=ALIKE)
    return f" Did you mean {alike[0]!r}?" if alike else ""


def in_order(message, *, brief):
    """A message of scikit-learn with its names in order; if brief, many names are left out."""

    def ordered(found):
        if brief and len(found[1]) > MOST:
            return "a known name"
        return f"a str among {', '.join(sorted(found[1].split(', ')))}"

    return LISTED.sub(ordered, message)
