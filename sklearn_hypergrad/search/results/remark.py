"""Remarks: what deserves a look after a search, and whether the user would act on it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Remark:
    """One line of ``remarks_``.

    Attributes
    ----------
    text : str
        What was seen, with numbers, and a remedy.
    warns : bool
        Whether it is also in the text of the HypergradWarning: whether the user would act on it.
    """

    text: str
    warns: bool = True
