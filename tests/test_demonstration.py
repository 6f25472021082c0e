"""The command line: both bundled tables, a table of one's own, and what it refuses."""

import dataclasses
import re

import numpy as np
import pytest

from sklearn_hypergrad import __main__ as command
from sklearn_hypergrad import adapters, demonstration

CANDIDATES = ("untouched model", "GridSearchCV", "HypergradSearchCV")


@pytest.fixture
def frame():
    """Numbers with gaps, categories with gaps and a rare one, dates, and columns of no use."""
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    n_rows = 120
    size, colour = rng.normal(size=n_rows), rng.choice(["red", "green"], n_rows).astype(object)
    price = 3 * size + (colour == "red") + 0.5 * rng.normal(size=n_rows)
    size[:5], colour[3:8], colour[20] = np.nan, None, "mauve"
    price[-2:] = np.nan
    return pd.DataFrame(
        {
            "size": size,
            "colour": colour,
            "old": rng.normal(size=n_rows) > 0,
            "sold": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n_rows), "D"),
            "country": 1,
            "note": np.nan,
            "price": price,
        }
    )


@pytest.fixture(params=["pandas", "polars"])
def backend(request, monkeypatch):
    pytest.importorskip(request.param)
    monkeypatch.setattr("sklearn_hypergrad.demonstration.table.BACKENDS", (request.param,))


def test_bundled_data(capsys):
    command.main(["--model", "ridge"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in CANDIDATES)
    for fact in ("held-out score", "alpha", "scikit-learn fits", "own inner solves", "seconds"):
        assert len(re.findall(rf"^  {fact} +\S+ +\S+ +\S+$", printed, re.M)) == 1


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("kind", [".csv", ".csv.gz", ".parquet"])
def test_a_table_of_ones_own(frame, kind, tmp_path):
    path = tmp_path / f"houses{kind}"
    if kind == ".parquet":
        pytest.importorskip("pyarrow")
        frame.to_parquet(path)
    else:
        frame.drop(columns="sold").to_csv(path, index=False)
    X, y, left_out = demonstration.read(path, "price")
    assert [*X.columns] == ["size", "colour", "old"]
    np.testing.assert_allclose(y, frame["price"][:-2])
    told = {"column 'country': it has one value", "column 'note': it is empty"}
    if kind == ".parquet":
        told |= {
            each for each in left_out if re.match("column 'sold': Datetime.* is neither", each)
        }
        assert len(told) == 3
    assert {*left_out} == told | {"2 rows: 'price' is missing"}
    # Two colours, the missing and the rare one together, and two of a boolean.
    assert demonstration.preprocessing(X).fit_transform(X).shape == (len(y), 1 + 3 + 2)


def test_the_models_of_a_table(frame, tmp_path, capsys, monkeypatch):
    model = demonstration.MODELS["ridge"]
    few = dataclasses.replace(model, grid={"alpha": np.array([0.01, 1.0, 100.0])})
    monkeypatch.setitem(demonstration.MODELS, "ridge", few)
    frame.drop(columns="sold").to_csv(tmp_path / "houses.csv", index=False)
    command.main(["--data", str(tmp_path / "houses.csv"), "--target", "price"])
    printed = capsys.readouterr().out
    assert "left out 2 rows: 'price' is missing" in printed
    assert f"ridge for price of {tmp_path / 'houses.csv'}, 118 rows, 3 columns" in printed
    scores = [float(x) for x in re.search("held-out score(.*)", printed)[1].split()]
    assert len(scores) == 3
    assert min(scores) > 0.3


@pytest.mark.parametrize("name", demonstration.MODELS)
def test_every_model_is_searched_by_its_gradient(name):
    model = demonstration.MODELS[name]
    family = adapters.family(model.estimator)
    assert {*model.grid} <= {*family.hyperparameters}


@pytest.mark.parametrize(
    ("y", "name"),
    [
        (np.array(["no", "yes", "no"]), "logistic"),
        (np.array([0, 1, 1]), "logistic"),
        (np.array([0.0, 0.5, 1.0]), "ridge"),
        (np.arange(11), "ridge"),
    ],
)
def test_the_target_chooses_the_model(y, name):
    assert demonstration.default_model(y) == name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "{csv}"], "--data and --target go together"),
        (["--model", "svc"], "--model svc needs --data and --target"),
        (["--data", "nowhere.csv", "--target", "price"], "There is no file nowhere.csv"),
        (["--data", "{text}", "--target", "price"], "is of another kind than .csv"),
        (["--data", "{csv}", "--target", "prize"], "Did you mean 'price'?"),
        (["--data", "{csv}", "--target", "qqq"], "It has 'size', 'colour'"),
        (["--data", "{csv}", "--target", "country"], "'country' has one value in all 120 rows"),
    ],
)
def test_mistakes(arguments, words, frame, tmp_path, capsys):
    files = {"csv": tmp_path / "houses.csv", "text": tmp_path / "houses.doc"}
    for path in files.values():
        frame.to_csv(path, index=False)
    with pytest.raises(SystemExit) as ended:
        command.main([argument.format(**files) for argument in arguments])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
