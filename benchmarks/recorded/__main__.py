"""Repeat the recorded searches and compare, or record them."""

import argparse
import json
import sys
import time
from pathlib import Path

from benchmarks.recorded import compare
from benchmarks.recorded.cases import CASES

FILE = Path(__file__).resolve().parent.parent / "recorded.json"


def main():
    """Exit with 1 if any result differs."""
    arguments = _arguments()
    if arguments.list:
        print("\n".join(CASES))
        return 0
    chosen = {name: CASES[name] for name in arguments.only or CASES}
    recorded = json.loads(arguments.file.read_text()) if arguments.file.exists() else {}
    begin = time.perf_counter()
    if arguments.record:
        _record(chosen, recorded, arguments)
        wrong = 0
    else:
        wrong = sum(not _agrees(case, recorded, arguments) for case in chosen.values())
        print(f"{len(chosen)} searches, {wrong} of them differ", end="; ")
    print(f"{time.perf_counter() - begin:.0f} s")
    return int(wrong > 0)


def _arguments():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recorded", description=__doc__)
    parser.add_argument("--record", action="store_true", help="write the results of these searches")
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="NAME", help="some searches")
    parser.add_argument("--list", action="store_true", help="print the names of all searches")
    parser.add_argument("--file", type=Path, default=FILE, help="where results are recorded")
    parser.add_argument("--times", action="store_true", help="print a line with the time of each")
    return parser.parse_args()


def _record(chosen, recorded, arguments):
    """Write the results; what is not chosen stays, what is no case any more goes."""
    done = {name: _timed(case, arguments) for name, case in chosen.items()}
    results = {name: done.get(name, recorded.get(name)) for name in CASES}
    results = {name: result for name, result in results.items() if result is not None}
    lines = (f"{json.dumps(name)}: {json.dumps(result)}" for name, result in results.items())
    arguments.file.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"recorded {len(done)} searches in {arguments.file.name}", end="; ")


def _agrees(case, recorded, arguments):
    """Whether a search gives what it gave, which is printed if not."""
    if case.name not in recorded:
        print(f"{case.name}: not recorded")
        return False
    old = recorded[case.name]
    try:
        # Through text, as what was recorded.
        new = json.loads(json.dumps(_timed(case, arguments, old)))
    except Exception as error:  # One search that fails does not hide the others.
        print(f"{case.name}: {type(error).__name__}: {error}")
        return False
    found = compare.differences(old, new, case.tolerance)
    if found:
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        print(f"{case.name}: DIFFERS, {found[0]}{more}", flush=True)
    for note in compare.notes(old, new):
        print(f"{case.name}: note, {note}", flush=True)
    return not found


def _timed(case, arguments, old=None):
    begin = time.perf_counter()
    result = case.run()
    if arguments.times:
        apart = ""
        if old is not None:
            apart = "  params {:.0e}  scores {:.0e}".format(*compare.largest(old, result))
        print(f"{time.perf_counter() - begin:6.2f} s  {case.name}{apart}", flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
