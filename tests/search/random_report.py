"""The command line of random cases: one in detail, many in short, or a sample of them."""

import collections
import sys
import time
import traceback

from random_cases import draw
from random_checks import compare, run, told
from sklearn.model_selection import GridSearchCV

from sklearn_hypergrad import HypergradSearchCV


def main():
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(f"usage: {sys.argv[0]} SEED ... | FROM:TO | sample FROM:TO")
    if arguments[0] == "sample":
        print(sample(*measured(seeds_of(arguments[1]))))
    elif ":" in arguments[0]:
        many(seeds_of(arguments[0]))
    else:
        for seed in arguments:
            one(int(seed))


def seeds_of(text):
    first, last = text.split(":")
    return range(int(first), int(last))


def one(seed):
    """Everything about one case."""
    case = draw(seed)
    print(case, end="\n\n")
    outcomes = [run(case, search_class) for search_class in (GridSearchCV, HypergradSearchCV)]
    for name, outcome in zip(("GridSearchCV", "HypergradSearchCV"), outcomes, strict=True):
        print(name)
        _show(outcome)
    ours = outcomes[1].search
    if ours is not None:
        print(ours.report(), ours.hypergradient_, *ours.remarks_, sep="\n")
    print("\nFailures:", *(compare(case, *outcomes) or ["none"]), sep="\n")


def _show(outcome):
    if outcome.error is not None:
        traceback.print_exception(outcome.error)
        return
    results = outcome.search.cv_results_
    metrics = [name for name in results if name.startswith("mean_test_")]
    for number, params in enumerate(results["params"]):
        scores = ", ".join(f"{name[10:]} {results[name][number]:.10g}" for name in metrics)
        print(f"    {params}: {scores}")
    print()


def many(seeds):
    """A line for every failure, and their numbers."""
    kinds, began = collections.Counter(), time.process_time()
    for seed in seeds:
        try:
            case = draw(seed)
            failures = compare(case, run(case, GridSearchCV), run(case, HypergradSearchCV))
        except Exception as error:
            print(f"{seed}: the case itself fails: {told(error)}", flush=True)
            traceback.print_exc()
            continue
        for failure in failures:
            kinds[failure.kind] += 1
            print(f"{seed} {case.family} {failure}", flush=True)
    print(*(f"{number:5d} {kind}" for kind, number in kinds.most_common()), sep="\n")
    print(f"{time.process_time() - began:.0f} s of CPU time")


def facts(case):
    """What a case has: a sample is to cover all of these."""
    options, data = case.options, case.data
    scoring = options["scoring"]
    values = [v for grid in case.grids for v in grid.values()]
    odd = {str(each) for value in values if isinstance(value, list) for each in value}
    return {
        case.family,
        case.task,
        f"{case.family} in {type(case.estimator).__name__}",
        *(f"{case.family} {said}" for said in ("sparse", "frame", "mixed") if said in data.said),
        *data.said[1:],
        f"cv {type(case.cv).__name__}",
        f"scoring {scoring if isinstance(scoring, str) else getattr(scoring, '__name__', '')}",
        f"{case.family} {type(scoring).__name__}",
        f"refit {getattr(options['refit'], '__name__', type(options['refit']).__name__)}",
        f"error_score {options.get('error_score')}",
        f"{case.family} ranges {len(case.ranges)}",
        *(f"{name} listed" for name in ("0", "0.0", "inf", "-1.0", "text", "auto") if name in odd),
        *(f"range per {span.per} {span.low is None} {span.scale}" for span in case.ranges),
        f"grids {len(case.grids)}",
        f"parameters {sorted(case.params)}",
        *(type(step).__name__ for _, step in getattr(case.estimator, "steps", ())),
    }


def measured(seeds):
    """``(facts, CPU seconds)`` of every seed, in dicts."""
    known, costs = {}, {}
    for seed in seeds:
        case, began = draw(seed), time.process_time()
        compare(case, run(case, GridSearchCV), run(case, HypergradSearchCV))
        known[seed], costs[seed] = facts(case), time.process_time() - began
    return known, costs


def sample(known, costs, size=100):
    """Seeds of cheap cases, chosen one after the other by new facts and time."""
    known, chosen, covered = dict(known), [], set()
    while len(chosen) < size:
        # New facts are worth more than time, which decides among cases without any.
        best = max(known, key=lambda seed: (0.1 + len(known[seed] - covered)) / costs[seed] ** 0.4)
        covered |= known.pop(best)
        chosen.append(best)
    missing = sorted(set().union(*known.values()) - covered)
    print(f"{sum(costs[seed] for seed in chosen):.1f} s; not covered: {missing}")
    return sorted(chosen)
