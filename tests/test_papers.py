"""The scripts of examples/papers: small ones always, the true ones by ``pytest -m paper``.

The latter need MNIST and others, in the folder that the variable SKLEARN_HYPERGRAD_DATA names, or
in its folders mnist, omniglot and text.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sklearn_hypergrad
from sklearn_hypergrad.hypergradients import Forward, Reverse, Reversible
from sklearn_hypergrad.losses import MultinomialLoss
from sklearn_hypergrad.problems import Network
from sklearn_hypergrad.training import Momentum, Training

SCRIPTS = Path(__file__).parents[1] / "examples" / "papers"
DATA = os.environ.get("SKLEARN_HYPERGRAD_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="needs SKLEARN_HYPERGRAD_DATA")

pytestmark = pytest.mark.skipif(not SCRIPTS.exists(), reason="needs the repository")


@pytest.fixture
def run(tmp_path):
    """``run(name, *arguments)``: what a script prints, and its table as a dict.

    Values are texts, or pairs of them where there are recorded ones.
    """
    pytest.importorskip("matplotlib")
    package = str(Path(sklearn_hypergrad.__file__).parents[1])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))

    def run(name, *arguments):
        command = [sys.executable, "-W", "error::UserWarning", SCRIPTS / f"{name}.py"]
        done = subprocess.run(
            [*command, *arguments, "--output", tmp_path],
            env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / f"{name}.png").stat().st_size > 0
        lines = (tmp_path / f"{name}.md").read_text(encoding="utf-8").splitlines()
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
        return done.stdout, {what: cells[0] if len(cells) == 1 else cells for what, *cells in rows}

    return run


@pytest.fixture
def common():
    """The module that the scripts share."""
    spec = importlib.util.spec_from_file_location("common", SCRIPTS / "common.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def column(output, name):
    """The numbers behind a name, over the lines of the progress."""
    return np.array([float(number) for number in re.findall(rf"  {name} (\S+)", output)])


def numbers(table, wanted=""):
    """Recorded and own numbers of the rows that have both and whose names match."""
    pairs = [
        cells for what, cells in table.items() if re.search(wanted, what) and "all" not in cells[0]
    ]
    return np.array([cells for cells in pairs if cells[0]], dtype=float).T


def listed(table, wanted):
    """Recorded and own numbers of rows with several of them."""
    pairs = [cells for what, cells in table.items() if re.search(wanted, what)]
    return np.array([[cell.split(", ") for cell in cells] for cells in pairs], float).swapaxes(0, 1)


def percents(text):
    return [float(number) for number in re.findall(r"(\S+) %", text)]


def error_in(table, name):
    """The test error of a row, in per cent; the last cell is what was found here."""
    cells = table[f"{name}: test loss and error"]
    return percents(cells if isinstance(cells, str) else cells[1])[0]


@pytest.mark.thorough
def test_schedules_learn_on_digits(run):
    output, table = run("training_schedules", "--quick")
    losses = column(output, "train loss")
    # The scales to start from are so small that the network does not learn anything.
    assert losses[0] > 2.2
    assert losses[-1] < 0.3
    assert column(output, "test error")[-1] < 0.25
    assert table["starts recovered bit for bit"] == f"all {len(losses)}"


@pytest.mark.thorough
def test_gradients_are_right_and_become_useless_on_digits(run):
    output, table = run("chaos", "--quick")
    log_rates, gradients = column(output, "log rate"), column(output, "gradient")
    differences, smooth = column(output, "difference"), log_rates < 1
    np.testing.assert_allclose(gradients[smooth], differences[smooth], rtol=0.01)
    assert np.abs(gradients[~smooth]).max() > 1e4
    assert table["signs that agree, log rates 0.0 to 1.0"].startswith("100 %")


@pytest.mark.thorough
def test_images_are_learned_on_digits(run):
    output, _ = run("learned_images", "--quick")
    losses = column(output, "valid loss")
    assert (np.diff(losses) < 0).all()
    assert losses[-1] < 0.3 * losses[0]
    assert column(output, "unseen error")[-1] < 0.2


@pytest.mark.thorough
def test_penalties_are_learned_on_digits(run):
    output, table = run("weight_penalties", "--quick")
    # Two trials, one after the other.
    losses = np.split(column(output, "valid loss"), [10])
    assert all((np.diff(each) < 0).all() for each in losses)
    assert losses[1][-1] < 0.65 * losses[1][0]
    test = [float(table[f"trial 2, test loss, outer step {i}"]) for i in (0, 49)]
    assert test[1] < 0.75 * test[0]


@pytest.mark.thorough
def test_wrong_labels_are_found_on_digits(run):
    _, table = run("hyper_cleaning", "--quick")
    assert float(table["R = 2000, F1"]) > 0.85
    assert float(table["R = 2000, accuracy"]) > float(table["baseline, accuracy"]) - 1


@pytest.mark.thorough
def test_rates_are_tuned_in_real_time_on_digits(run):
    output, table = run("real_time", "--quick")
    assert column(output, "valid loss")[-1] < 0.2
    # Far from all of those it would be among 25 by chance.
    assert int(table["pairs of the grid with a smaller validation loss"].split()[0]) <= 6
    assert "One run that tunes itself ends at a validation loss of 0.1" in output
    assert float(table["validation loss, where it starts held fixed"]) > 1


@pytest.mark.thorough
def test_rates_of_a_convolutional_network_are_tuned_on_digits(run):
    _, table = run("real_time_cnn", "--quick")
    fixed, tuned = (
        percents(table[f"Adam: test accuracy{how}"])[0]
        for how in (" where it starts held fixed", ", tuned in real time")
    )
    assert tuned > fixed + 10


@pytest.mark.thorough
def test_validation_images_are_learned_by_heart_on_digits(run):
    output, table = run("overfit_validation", "--quick")
    assert "4 of 4 curves end with all 50 validation images right" in output
    for name in ("64-10", "64-20-10"):
        for solver in ("identity", "neumann"):
            accuracies = table[f"{name}, {solver}: validation accuracy, first and last"]
            assert float(accuracies.split(", ")[0]) < 0.5
            assert accuracies.endswith(", 1.00")
            assert table[f"{name}, {solver}: validation accuracy of 100 %"].startswith("after")


@pytest.mark.thorough
def test_interactions_of_classes_are_learned_on_digits(run):
    """One for each pair is better than one for all, which is one more common penalty."""
    _, table = run("task_interactions", "--quick")
    of_all, one_rho = (
        table[f"{name}: test accuracy"] for name in ("naive", "single task, one rho")
    )
    assert mean(of_all) == pytest.approx(mean(one_rho), abs=0.3)
    assert mean(table["learned against naive"]) > 0.5
    ratio = "learned: interaction within a digit, over others (geometric means)"
    assert float(table[ratio]) > 3


@pytest.mark.thorough
def test_an_auxiliary_task_is_weighted_in_real_time_on_digits(run):
    output, table = run("auxiliary_task", "--quick")
    assert column(output, "learning_rate_init")[-1] > 0.15
    untuned, in_real_time = (
        mean(table[f"{name}: validation loss"]) for name in ("untuned", "in real time")
    )
    assert in_real_time < untuned + 0.1
    assert float(table["in real time: cost in trainings"]) > 1


def mean(cell):
    """Of a cell with a mean and its standard error."""
    return float(cell.split(" +- ")[0])


@pytest.mark.thorough
def test_layers_are_shared_between_tasks_on_digits(run):
    output, table = run("multitask", "--quick")
    assert "Test losses from low to high: learned, " in output
    correlations = table["layer 3: correlation of all pairs, of turned pairs"].split(", ")
    assert float(correlations[1]) > float(correlations[0]) > 0.3
    assert column(output, "valid loss")[-1] < 0.5


@pytest.mark.thorough
def test_the_valley_is_descended(run):
    """It needs no data, so that it is the same with and without ``--quick``."""
    _, table = run("toy")
    recorded, here = numbers(table, "loss at the end")
    np.testing.assert_allclose(here, recorded, atol=0.03)


@pytest.mark.thorough
def test_initial_gradients_are_averaged_on_digits(run):
    _, table = run("initial_gradient", "--quick")
    scales = [float(number) for number in table["log scales of the W"].split(", ")]
    # From small scales, larger ones train faster.
    assert max(scales) < 0


@pytest.mark.thorough
def test_augmentation_is_learned_on_digits(run):
    _, table = run("augmentation", "--quick")
    without = error_in(table, "no augmentation, weight decay 0.0001")
    known = error_in(table, "known augmentation")
    noise = error_in(table, "learned from noise, 209 hyperparameters")
    assert known < noise + 5
    assert noise < error_in(table, "the same on training and validation images")
    assert error_in(table, "learned from noise and image, 3697 hyperparameters") < without - 10


@pytest.mark.thorough
def test_images_are_distilled_on_digits(run):
    _, table = run("distillation", "--quick")
    for solver in ("identity", "neumann"):
        few, many = (
            table[f"{n} validation images, {solver}: accuracy on them and on test images"]
            for n in (100, 1300)
        )
        assert few.startswith("100.0 %")
        assert percents(many)[1] > max(85, percents(few)[1])


@pytest.mark.thorough
def test_shares_of_validation_images_are_swept_on_digits(run):
    _, table = run("validation_proportion", "--quick")
    for which in ("one penalty", "one per weight"):
        before, after = (
            [float(mean) for mean in re.findall(r"(\S+) ±", table[f"200 images, {which}{when}"])]
            for when in ("", ", retrained on all")
        )
        # Where hardly any images are left for training, all of them do better.
        assert after[-1] > before[-1] + 0.1


@pytest.mark.thorough
def test_a_recurrent_network_is_regularised_on_descriptions(run):
    """While fixed hyperparameters let it learn them by heart, tuned ones do less so."""
    _, table = run("recurrent", "--quick")
    name = "{}: lowest and last validation bits"
    tuned, *others = (
        float(table[name.format(kind)].split(", ")[1])
        for kind in ("2763 tuned", "held where they start", "one penalty from a grid")
    )
    assert tuned < min(others)


@pytest.mark.thorough
def test_data_are_asked_for():
    command = [sys.executable, SCRIPTS / "chaos.py", "--data", "nowhere"]
    package = str(Path(sklearn_hypergrad.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": package}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Give --data DIR, the folder of MNIST")


def problems(common):
    """Problems of the scripts that are not the package's own, with hyperparameters."""
    rng = np.random.default_rng(0)
    network = Network((5, 4, 3), "tanh", MultinomialLoss())
    X, Y = rng.normal(size=(30, 5)), np.eye(3)[rng.integers(3, size=30)]
    start = rng.normal(size=network.n_weights)
    schedules = {
        "learning_rate_init": rng.uniform(0.1, 0.5, size=(6, 4)),
        "momentum": rng.uniform(0.3, 0.9, size=(6, 4)),
        "init_scale": rng.uniform(0.1, 0.5, size=4),
    }
    rates = {"learning_rate_init": 0.5, "momentum": 0.9}
    each = {"alpha": rng.uniform(0.1, 1.0, size=network.n_weights)}
    grouped = common.GroupedProblem(network, X, Y, start=start)
    penalised = common.PenalisedProblem(network, X, Y, start=start)
    return (
        network,
        (X, Y),
        [
            (grouped, {}, schedules),
            (penalised, rates, each),
            (penalised, rates, {"X": X, "alpha": 0.3}),
        ],
    )


@pytest.mark.parametrize("number", [0, 1, 2])
def test_problems_of_the_scripts(common, five_point, number):
    """Their hypergradients are those of finite differences, by every method."""
    network, data, made = problems(common)
    problem, settings, h = made[number]
    batches = common.consecutive(30, 10)
    training = Training(problem, Momentum(averaged=True), batches, 6, settings)
    outer = common.FinalLoss(network, *data, lambda h: (0.0, {}))
    rng = np.random.default_rng(1)
    direction = {name: rng.normal(size=np.shape(value)) for name, value in h.items()}

    def value(step):
        moved = {name: h[name] + step * direction[name] for name in h}
        return outer(training.run(moved).final().w, moved)[0].item()

    expected = five_point(value, 1e-3)
    for method in (Reverse(), Forward(), Reversible()):
        gradient = method.evaluate(training, outer, h, None, None).gradient
        found = sum(np.sum(gradient[name] * direction[name]) for name in h)
        # The reversible one rounds momenta to fractions.
        accuracy = 1e-4 if isinstance(method, Reversible) else 1e-8
        assert found == pytest.approx(expected, rel=accuracy)


def test_blocks_are_consecutive_and_centred(common):
    data = common.Images(np.arange(12).reshape(6, 2), np.arange(6), 10.0, 4)
    (X, Y), (Z, _) = data.blocks(2, 3)
    np.testing.assert_allclose(X, [[-0.3, -0.3], [-0.1, -0.1]])
    np.testing.assert_allclose(Z[0], [0.1, 0.1])
    np.testing.assert_array_equal(Y.argmax(axis=1), [0, 1])


def test_seeds_are_those_of_the_authors(common):
    """The first digits of the MD5 digest of "(0, 3)"."""
    stream = np.random.RandomState(0x702D748B)
    assert common.random_state((0, 3)).randint(2**31) == stream.randint(2**31)


def test_adam_of_the_authors(common):
    """For a constant gradient, steps are the longer the earlier, but for the first."""
    adam = common.TheirAdam(0.04)
    steps = [float(adam(np.array([1.0]))[0]) for _ in range(50)]
    assert steps[:3] == pytest.approx([0.04, 0.04 / 0.19, 0.04 / 0.271], rel=1e-3)
    assert steps[-1] == pytest.approx(0.04, rel=0.01)


@needs_data
@pytest.mark.paper
def test_schedules(run):
    """Losses and errors are the recorded ones, but for their last digit."""
    output, table = run("training_schedules", "--data", DATA)
    for i in (0, 5, 10, 20):
        recorded, here = numbers(table, f"outer step {i}$")
        np.testing.assert_allclose(here, recorded, atol=1.5e-4)
    assert column(output, "train loss")[50] < 0.125
    assert column(output, "test error")[50] < 0.075


@needs_data
@pytest.mark.paper
def test_chaos(run):
    output, table = run("chaos", "--data", DATA)
    recorded, here = numbers(table, "loss at")
    np.testing.assert_allclose(here[:5], recorded[:5], rtol=2e-7)
    np.testing.assert_allclose(here[5:7], recorded[5:7], rtol=1e-5)
    shares = [float(table[what][1].split()[0]) for what in table if what.startswith("signs")]
    assert shares[0] == 100
    assert shares[-1] < 75
    assert np.abs(column(output, "gradient")).max() > 1e10


@needs_data
@pytest.mark.paper
def test_learned_images(run):
    output, table = run("learned_images", "--data", DATA)
    recorded, here = numbers({what: cells for what, cells in table.items() if "loss" in what})
    np.testing.assert_allclose(here, recorded, atol=0.01)
    assert column(output, "unseen error")[-1] <= 0.115


@needs_data
@pytest.mark.paper
def test_weight_penalties(run):
    """Those of the first trial are recorded with four digits, those of the second drawn."""
    _, table = run("weight_penalties", "--data", DATA)
    for trial, accuracy in ((1, 1.5e-4), (2, 0.005)):
        recorded, here = numbers(table, f"trial {trial}")
        np.testing.assert_allclose(here, recorded, atol=accuracy)


@needs_data
@pytest.mark.paper
def test_hyper_cleaning(run):
    """Accuracies and F1 scores are near those of the paper, and far above no cleaning."""
    _, table = run("hyper_cleaning", "--data", DATA)
    recorded, here = numbers(table, "^R.*accuracy")
    assert here.min() >= 89.9
    np.testing.assert_allclose(here, recorded, atol=0.3)
    _, f1 = numbers(table, "F1")
    assert f1.min() >= 0.88
    baseline, oracle = (float(table[f"{name}, accuracy"][1]) for name in ("baseline", "oracle"))
    assert baseline < here.min() - 1.5
    assert oracle > here.max()


@needs_data
@pytest.mark.paper
def test_real_time(run):
    """One run ends below all pairs of the grid."""
    _, table = run("real_time", "--data", DATA)
    for part in ("training", "validation"):
        assert table[f"pairs of the grid with a smaller {part} loss"][1] == "0 of 25"


@needs_data
@pytest.mark.paper
def test_multitask(run):
    """What is learned is better than both others, and turned alphabets share the last layer."""
    output, table = run("multitask", "--data", DATA)
    assert "Test losses from low to high: learned, " in output
    assert float(table["learned: training and test loss"][1].split(", ")[1]) <= 1.95
    correlations = table["layer 3: correlation of all pairs, of turned pairs"][1].split(", ")
    assert float(correlations[1]) >= 0.7


@needs_data
@pytest.mark.paper
def test_recurrent(run):
    """Tuned hyperparameters are better on unseen text than those held, and than one penalty."""
    pytest.importorskip("jax")
    _, table = run("recurrent", "--data", DATA, "--jax")
    bits = {name: float(cells[1]) for name, cells in table.items() if "test bits" in name}
    others = "held where they start", "one penalty from a grid"
    lowest = min(bits[f"{name}: test bits per character"] for name in others)
    for name in ("7 tuned", "17571 tuned"):
        assert bits[f"{name}: test bits per character"] < lowest - 0.02


@needs_data
@pytest.mark.paper
def test_overfit_validation(run):
    _, table = run("overfit_validation", "--data", DATA)
    for name in ("784-10", "784-784-10"):
        for solver in ("identity", "neumann"):
            reached = table[f"{name}, {solver}: validation accuracy of 100 %"][1]
            assert re.fullmatch(r"after \d+ steps", reached)


@needs_data
@pytest.mark.paper
def test_task_interactions(run):
    """One for each pair gains more than in the paper, in at most 0.2 s for each evaluation."""
    _, table = run("task_interactions", "--data", DATA)
    assert mean(table["learned against naive"][1]) > 2
    assert mean(table["learned, few against learned"][1]) > -0.1
    for name in ("learned", "learned, few"):
        cost = table[f"{name}: evaluations, time of each, cost in trainings"][1]
        assert float(re.search(r"(\d+) ms", cost)[1]) <= 200


@needs_data
@pytest.mark.paper
def test_initial_gradient(run):
    """But for the rounding of momenta: sums over steps, and scales of the initial weights."""
    _, table = run("initial_gradient", "--data", DATA)
    recorded, here = listed(table, "log|logits")
    np.testing.assert_allclose(here, recorded, rtol=1e-3, atol=2e-5)


@needs_data
@pytest.mark.paper
def test_augmentation(run):
    """Most of what is lost without augmentation is regained, in a few trainings."""
    _, table = run("augmentation", "--data", DATA)
    decays = ("0.0001", "0.001", "0.01")
    without = min(error_in(table, f"no augmentation, weight decay {decay}") for decay in decays)
    known = error_in(table, "known augmentation")
    for name in ("noise, 209", "noise and image, 10033"):
        learned = error_in(table, f"learned from {name} hyperparameters")
        assert learned - known < 0.15 * (without - known)
        what = f"learned from {name.split(',')[0]}: cost in trainings"
        assert float(table[what][1]) < 6


@needs_data
@pytest.mark.paper
def test_distillation(run):
    _, table = run("distillation", "--data", DATA)
    found = {
        n: [
            percents(cells[1])
            for what, cells in table.items()
            if what.startswith(n) and "accuracy" in what
        ]
        for n in ("100", "5000")
    }
    assert all(valid == 100 and test < 80 for valid, test in found["100"])
    assert all(test > 85 for _, test in found["5000"])


@needs_data
@pytest.mark.paper
def test_validation_proportion(run):
    """Of few images one penalty per weight is worth more for validation than one for all."""
    _, table = run("validation_proportion", "--data", DATA)
    for size in (100, 200):
        best = [
            float(table[f"{size} images, {which}"][1].split("best at ")[1])
            for which in ("one penalty", "one per weight")
        ]
        assert best[0] < best[1]


@needs_data
@pytest.mark.paper
def test_real_time_cnn(run):
    _, table = run("real_time_cnn", "--data", DATA)
    for name, gain in (("momentum", 0), ("Adam", 5)):
        fixed, tuned = (
            percents(table[f"{name}: test accuracy{how}"][1])[0]
            for how in (" where it starts held fixed", ", tuned in real time")
        )
        assert tuned > fixed + gain


@needs_data
@pytest.mark.paper
def test_auxiliary_task(run):
    """One training that tunes itself is better than untuned ones and than random search."""
    _, table = run("auxiliary_task", "--data", DATA)
    losses = {
        name: mean(table[f"{name}: validation loss"][1])
        for name in ("no auxiliary task", "untuned", "by hand", "random search", "in real time")
    }
    assert min(losses, key=losses.get) == "in real time"
    for name in ("untuned", "random search"):
        assert mean(table[f"in real time against {name}: test accuracy"][1]) > 0
