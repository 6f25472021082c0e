"""Messages about parameters that are not legal."""

import re

import numpy as np
import pytest

COEFS = [np.ones((4, 5)), np.ones((5, 3))]
NAMES = ("alpha", "learning_rate_init", "momentum")
WRONG = {
    "negative": ([0.1, -1.0], "{}[1] is -1.0"),
    "nan": ([[np.nan, 0.0]], "{}[0, 0] is nan"),
    "infinite": ([0.1, np.inf], "{}[1] is inf"),
    "ragged": ([[0.1], [0.1, 0.2]], "{} must be a number or an array of numbers"),
    "text": (["a", "b"], "{} must be a number or an array of numbers"),
}


@pytest.fixture
def fails(features, targets, model_of):
    """``fails(message, ...)``: a fit with parameters raises that ValueError."""

    def check(message, **params):
        with pytest.raises(ValueError, match=re.escape(message)):
            model_of("classes", **params).fit(features(), targets("classes"))

    return check


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", [*NAMES, "init_scale"])
def test_values(fails, name, wrong):
    value, message = WRONG[wrong]
    fails(message.format(name), **{name: value})


@pytest.mark.parametrize("value", [-0.1, np.inf, np.nan, "large", None])
@pytest.mark.parametrize("name", [*NAMES, "init_scale"])
def test_numbers(fails, name, value):
    fails(f"The '{name}' parameter of MLPClassifier must be", **{name: value})


def test_momentum_is_below_one(fails):
    fails("The 'momentum' parameter", momentum=1.0)
    fails("momentum[1] is 1.0, but it must be below 1 and not negative", momentum=[0.5, 1.0])


@pytest.mark.parametrize("shape", [(3,), (2, 7), (7, 3), (1, 1, 1), (0,)])
@pytest.mark.parametrize("name", NAMES)
def test_shapes(fails, name, shape):
    fails(
        f"{name} has shape {shape}. Legal are a number, (7,) per step, (2,)",
        **{name: np.full(shape, 0.1)},
    )


def test_shapes_of_alpha_name_the_coefficients(fails):
    fails("(7,) per step, (2,), (35,), (7, 2), (7, 35)", alpha=np.ones(34))


def test_as_many_steps_as_layers(fails, features, targets, model_of):
    fails("Write (2, 1) for steps or (1, 2) for groups", momentum=[0.5, 0.9], n_steps=2)
    for momentum in ([[0.5], [0.9]], [[0.5, 0.9]]):
        model_of("classes", momentum=momentum, n_steps=2).fit(features(), targets("classes"))


def test_lists_of_arrays(fails):
    fails("shapes [(4, 5)], but those of the coefs_ are [(4, 5), (5, 3)]", alpha=COEFS[:1])
    fails("shapes [(4, 5), (3, 5)], but", alpha=[COEFS[0], COEFS[1].T])
    last = np.where(np.arange(15).reshape(5, 3) == 6, -1, 1)
    fails("alpha[1][2, 0] is -1.0", alpha=[COEFS[0], last])
    fails("alpha[0][0, 0] is nan", alpha=[np.nan * COEFS[0], COEFS[1]])


def test_init_scale_is_per_layer(fails):
    fails("init_scale has shape (3,). Legal are a number and (2,) per layer", init_scale=[1, 1, 1])
    fails("init_scale has shape (7, 2)", init_scale=np.ones((7, 2)))


@pytest.mark.parametrize("sizes", [(5, 0), (5, 2.5), [5, -1]])
def test_hidden_layer_sizes(fails, sizes):
    fails(f"hidden_layer_sizes[1] is {sizes[1]}", hidden_layer_sizes=sizes)


@pytest.mark.parametrize(
    "params", [{"n_steps": 0}, {"batch_size": 0}, {"activation": "sine"}, {"hidden_layer_sizes": 0}]
)
def test_other_parameters(fails, params):
    (name,) = params
    fails(f"The '{name}' parameter of MLPClassifier must be", **params)


def test_sample_weights(features, targets, model_of):
    X, y = features(), targets("squared")
    for wrong in (-np.ones(40), np.zeros(40), np.ones(3)):
        with pytest.raises(ValueError, match="[Ss]ample.?weight"):
            model_of("squared").fit(X, y, sample_weight=wrong)


def test_one_class(features, model_of):
    with pytest.raises(ValueError, match="y has 1 class only, a, but"):
        model_of("classes").fit(features(), ["a"] * 40)
