"""Implicit differentiation of the trained model."""

from sklearn_hypergrad.hypergradients.base import Evaluation, Hypergradient, WarmStart


class Implicit(Hypergradient):
    """Differentiate the condition that the gradient of the inner objective vanishes.

    Needs a model that minimises a smooth objective, and nothing else about it. Exact up to the
    accuracy of the inner solution and of one linear system with its Hessian. See Lorraine, Vicol,
    Duvenaud (2019), equations 2 and 3.
    """

    def __repr__(self):
        return "Implicit()"

    # The solution w(h) has gradient(w, h) = 0 for every h. Differentiating in h,
    #     H dw/dh + cross = 0    with    H = d gradient / dw,    cross = d gradient / dh,
    # so that, for an outer objective outer(w(h), h),
    #     d outer/dh = direct + (dw/dh)' grad_w = direct - cross' H^-1 grad_w.
    # H is symmetric: adjoint = H^-1 grad_w costs one linear system however long h is.
    def evaluate(self, problem, outer, h, warm_start, tol):
        previous = (None, None) if warm_start is None else (warm_start.solution, warm_start.adjoint)
        solution = problem.solve(h, previous[0], tol)
        values, grad_w, direct = outer(solution.w, h)
        adjoint, status = solution.inverse_hvp(grad_w, previous[1])
        indirect = problem.cross_vjp(solution.w, h, adjoint)
        gradient = {name: direct.get(name, 0.0) - term for name, term in indirect.items()}
        return Evaluation(
            values=values,
            gradient=gradient,
            warm_start=WarmStart(solution, adjoint),
            statuses=(solution.status, status),
            n_solves=solution.n_solves,
            w=solution.w,
        )
