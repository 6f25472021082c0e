"""Speed and memory of the search, next to what people use otherwise.

Run ``python -m benchmarks`` (half an hour), or some groups of it with ``--only ridge,growth``.
Results go to ``benchmarks/results``, tables and figures of all groups that are there to ``docs``;
``--report`` only makes these again. ``--quick`` tries everything with small sizes, and keeps all of
it in ``benchmarks/results/quick``.
"""

import argparse
import time

from benchmarks.jobs import quiet
from benchmarks.speed import clock, report, store
from benchmarks.speed.groups import GROUPS

TRIAL = ", a trial with small sizes only"


def main():
    """Measure, print and write."""
    arguments = parse()
    quick = store.RESULTS / "quick"
    folder, docs = (quick, quick) if arguments.quick else (store.RESULTS, report.DOCS)
    quiet()
    for group in () if arguments.report else arguments.only:
        start = time.perf_counter()
        rows = list(GROUPS[group](clock.QUICK if arguments.quick else clock.FULL))
        store.save(folder, group, rows, TRIAL if arguments.quick else "")
        print(f"{group}: {time.perf_counter() - start:.0f} s", flush=True)
    report.show(store.load(folder, arguments.only))
    report.write(folder, docs)


def parse():
    """Arguments, with the groups as a list."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=groups, default=list(GROUPS), help=", ".join(GROUPS))
    parser.add_argument("--quick", action="store_true", help="small sizes")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    return parser.parse_args()


def groups(text):
    """The groups of a comma-separated list."""
    names = text.split(",")
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r} among {', '.join(GROUPS)}")
    return names


if __name__ == "__main__":
    main()
