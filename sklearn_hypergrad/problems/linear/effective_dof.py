"""How many parameters a penalised model has in effect."""

import numpy as np

# Up to this many weights the diagonal of the inverse Hessian is computed, beyond estimated.
MAX_EXACT = 500
N_PROBES = 32


def effective_dof(problem, solution, strength):
    """Effective degrees of freedom of every coefficient, of shape (n_features, n_outputs).

    ``1 - strength_j (H^-1)_jj``, between 0 (dropped) and 1 (unpenalised); with H = X'X + strength
    their sum is the trace of the hat matrix, in general that of ``H^-1`` times the Hessian without
    penalty. Intercepts are not counted. For more than 500 weights the diagonal is estimated with 32
    random vectors of signs (Hutchinson).

    Parameters
    ----------
    problem : InnerProblem
        With one split.
    solution : InnerSolution
    strength : ndarray, broadcasting to (n_features, n_outputs)
    """
    size = solution.w.size
    if size <= MAX_EXACT:
        probes, share = np.eye(size), 1.0
    else:
        rng = np.random.default_rng(0)
        probes, share = rng.choice([-1.0, 1.0], size=(N_PROBES, size)), 1 / N_PROBES
    diagonal = np.zeros(solution.w.shape)
    for probe in probes:
        probe = probe.reshape(diagonal.shape)
        diagonal += share * probe * solution.inverse_hvp(probe, None)[0]
    return np.clip(1 - strength * problem.penalised(diagonal), 0, 1)
