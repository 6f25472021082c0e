"""Remarks: what deserves a look after a search, and whether the user would act on it."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Remark:
    """One line of ``remarks_``.

    Attributes
    ----------
    text : str
        What was seen, and a remedy. Remarks of several candidates with one text are said once.
    warns : bool
        Whether it is also in the text of the HypergradWarning: whether the user would act on it.
    detail : str
        The same with the numbers of its candidate, if it has any: shown in place of ``text``
        where it is about one candidate.
    """

    text: str
    warns: bool = True
    detail: str = dataclasses.field(default="", compare=False)
