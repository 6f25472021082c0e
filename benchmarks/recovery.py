"""Do penalties per feature tell informative features from the others?

Run ``python -m benchmarks.recovery``: 20 informative of 200 features, 150 samples, 20 seeds. Prints
the share of pairs (informative, other) whose penalties are in the right order, ties counting half
(the area under the ROC curve), for several ratios of the variance of the signal to that of the
noise.
"""

import numpy as np
from sklearn.metrics import roc_auc_score

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import Ridge

N_SAMPLES, N_FEATURES, N_INFORMATIVE, N_SEEDS = 150, 200, 20, 20
RATIOS = (20, 10, 5, 2)


def area(seed, ratio):
    """Area under the curve for one draw of data."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_SAMPLES, N_FEATURES))
    coef = np.zeros(N_FEATURES)
    coef[:N_INFORMATIVE] = rng.choice([-1.0, 1.0], N_INFORMATIVE)
    y = X @ coef + np.sqrt(N_INFORMATIVE / ratio) * rng.normal(size=N_SAMPLES)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(per="feature")}).fit(X, y)
    return roc_auc_score(coef != 0, -search.feature_regularization_)


def main():
    """Print a table."""
    print("| signal to noise | area, mean | smallest |")
    print("|---|---|---|")
    for ratio in RATIOS:
        areas = [area(seed, ratio) for seed in range(N_SEEDS)]
        print(f"| {ratio} | {np.mean(areas):.3f} | {min(areas):.3f} |", flush=True)


if __name__ == "__main__":
    main()
