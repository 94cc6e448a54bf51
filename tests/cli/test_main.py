"""The command: what it prints, what it writes, and how it answers mistakes."""

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest

from skffnn.cli import main as command
from skffnn.cli.main import main
from skffnn.cli.report import FILES
from skffnn.cli.search import (
    LEARNING_RATES,
)
from skffnn.inspection.evaluation import evaluate

FAST = ["--jobs=1", "--hidden=8"]


def make_rides():
    rng, n = np.random.default_rng(0), 120
    table = pd.DataFrame(
        {
            "id": np.arange(n),
            "hour": rng.integers(0, 24, n),
            "city": rng.choice(["Oslo", "Rome", "Lima"], n),
            "day": pd.date_range("2024-01-01", periods=n).astype(str),
            "temp": rng.normal(15, 8, n).round(1),
            "open": rng.random(n) < 0.7,
        }
    )
    table["cnt"] = 100 + 3 * table["temp"] + 20 * (table["city"] == "Oslo")
    table.loc[::9, "temp"] = np.nan
    table.loc[::11, "city"] = None
    table.loc[[4, 8], "cnt"] = np.nan
    return table


@pytest.fixture
def rides(tmp_path, monkeypatch):
    """A table as users have them, in the working directory."""
    monkeypatch.chdir(tmp_path)
    table = make_rides()
    table.to_csv("rides.csv", index=False)
    return table


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One run with --out: its folder and what it printed."""
    pytest.importorskip("skrub")
    pytest.importorskip("matplotlib")
    folder = tmp_path_factory.mktemp("finished")
    make_rides().to_csv(folder / "rides.csv", index=False)
    options = [str(folder / "rides.csv"), "--target=cnt", "--drop=id"]
    options += ["--categorical=hour", "--learning-rates=0.1", f"--out={folder}/new/run"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main([*options, *FAST]) == 0
    return folder, printed.getvalue()


@pytest.fixture
def saved(finished, rides, tmp_path):
    """What that run printed; what it wrote is in the working directory."""
    folder, printed = finished
    shutil.copytree(folder / "new", tmp_path / "new")
    return printed


def numbers(output, row):
    """Take one row of numbers out of what was printed."""
    [line] = [line for line in output.splitlines() if line.startswith(row)]
    return [float(number) for number in re.findall(r"-?\d+\.\d+", line)]


# the diabetes table


def test_without_arguments(capsys):
    assert main([]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    assert "442 rows, 10 columns" in output
    assert "353 training rows, 89 test rows." in output
    # Too low, right, and too high; the chosen rate is the best of them.
    table = output.split("\n\n")[2].splitlines()[1:]
    assert len(table) == len(LEARNING_RATES)
    assert table[-1].split() == ["10", "diverged", "diverged"]
    rmse = [float(line.split()[2]) for line in table[:-1]]
    assert table[rmse.index(min(rmse))].endswith("<- chosen")
    assert rmse[0] > 1.5 * min(rmse)
    _, test_rmse, _, _ = numbers(output, "FFNNRegressor")
    assert test_rmse < 1.05 * numbers(output, "linear regression")[1]
    assert "It generalises" in output


def test_overfit_shows_overfitting(capsys):
    assert main(["--overfit", "--learning-rates=1e-4,1e-2", "--jobs=1"]) == 0
    output = capsys.readouterr().out
    assert "It overfits" in output
    train_rmse, test_rmse, *_ = numbers(output, "FFNNRegressor")
    assert test_rmse > 1.5 * train_rmse
    assert numbers(output, "0.01 ")[1] < numbers(output, "0.0001 ")[1]
    assert re.search(r"^0\.01 .*<- chosen$", output, re.MULTILINE)


def test_same_seed_same_report(capsys):
    reports = []
    for seed in (3, 3, 4):
        assert main([f"--seed={seed}", "--learning-rates=0.03", *FAST]) == 0
        reports.append(capsys.readouterr().out)
    assert reports[0] == reports[1] != reports[2]


def test_search_is_of_the_training_rows_only(monkeypatch, capsys):
    """The command is `evaluate` on a search: the test rows choose nothing."""
    seen = []

    def spy(search, X, y, **kwargs):
        found = evaluate(search, X, y, **kwargs)
        seen.append((kwargs, found))
        return found

    monkeypatch.setattr(command, "evaluate", spy)
    options = ["--time-order", "--test-size=0.25", "--learning-rates=0.03,0.1", *FAST]
    assert main(options) == 0
    [(kwargs, found)] = seen
    assert kwargs["shuffle"] is False
    np.testing.assert_array_equal(found.test_indices, np.arange(331, 442))
    folds = list(found.estimator.cv.split(found.train_indices))
    assert all(train.max() < test.min() for train, test in folds)


# a user's table


def test_user_table(rides, capsys):
    pytest.importorskip("skrub")
    options = ["rides.csv", "--target=cnt", "--categorical=hour", "--drop=id"]
    assert main([*options, "--learning-rates=0.03,0.1", *FAST]) == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    assert "rides.csv: 118 rows, 5 columns" in output
    assert "2 rows of 120 have no 'cnt' and are left out" in output
    assert "warning" not in output
    assert numbers(output, "FFNNRegressor")[3] > 0.5
    assert numbers(output, "linear regression")[3] > 0.5


def test_categories_and_gaps_need_no_extra(rides, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "skrub", None)
    options = ["rides.csv", "--target=cnt", "--categorical=hour", "--drop=id,day"]
    assert main([*options, "--learning-rates=0.03,0.1", *FAST]) == 0
    output = capsys.readouterr().out
    assert numbers(output, "FFNNRegressor")[3] > 0.5
    assert numbers(output, "linear regression")[3] > 0.5
    assert main(["rides.csv", "--target=cnt", "--drop=id", *FAST]) == 2
    assert "Column 'day', of dates or text, needs skrub" in capsys.readouterr().err


def test_a_rate_that_fails_on_all_training_rows_is_given_up(rides, monkeypatch, capsys):
    tried = []

    def spy(search, *args, **kwargs):
        tried.append(search.param_grid["ffnnregressor__learning_rate"])
        if len(tried) == 1:
            raise FloatingPointError("Training diverged at learning_rate=0.1 before it")
        return evaluate(search, *args, **kwargs)

    monkeypatch.setattr(command, "evaluate", spy)
    options = ["rides.csv", "--target=cnt", "--drop=id,day"]
    assert main([*options, "--learning-rates=0.01,0.03,0.1", *FAST]) == 0
    assert tried == [[0.01, 0.03, 0.1], [0.01, 0.03]]
    output = capsys.readouterr().out
    assert re.search(r"^0\.1 +diverged +diverged$", output, re.MULTILINE)
    assert "highest that was tried" not in output


def test_levels_are_text_though_new_rows_have_numbers_only(
    tmp_path, monkeypatch, capsys
):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"code": ["1", "2", "x"] * 20, "size": np.arange(60) % 7})
    table["y"] = table["size"] + 5.0 * (table["code"] == "2")
    table.to_csv("a.csv", index=False)
    options = ["a.csv", "--target=y", "--learning-rates=0.03", "--out=."]
    assert main([*options, *FAST]) == 0
    table[table["code"] != "x"].to_csv("b.csv", index=False)
    capsys.readouterr()
    assert main(["predict", "model.joblib", "b.csv"]) == 0
    printed = pd.read_csv(io.StringIO(capsys.readouterr().out))["prediction"]
    expected = joblib.load("model.joblib").predict(table)[table["code"] != "x"]
    np.testing.assert_allclose(printed, expected)


def test_identifiers_are_warned_of(rides, capsys):
    pytest.importorskip("skrub")
    assert main(["rides.csv", "--target=cnt", "--learning-rates=0.1", *FAST]) == 0
    output = capsys.readouterr().out
    assert "warning: 'id' looks like an identifier" in output
    assert "(--drop id leaves it out)" in output
    assert output.count("warning:") == 1


def test_out_writes_report_model_and_pictures(saved, tmp_path):
    folder = tmp_path / "new" / "run"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    for name in FILES:
        assert os.path.join("new", "run", name) in saved
    report = (folder / "report.txt").read_text(encoding="utf-8")
    assert report.strip() == saved[: saved.index("Wrote")].strip()
    for picture in folder.glob("*.png"):
        assert picture.read_bytes().startswith(b"\x89PNG")
    history = joblib.load(folder / "model.joblib")[-1].history_
    assert np.isfinite(history["validation_rmse"]).all()


def test_saved_pipeline_is_the_one_reported(saved, rides, tmp_path):
    model = joblib.load(tmp_path / "new" / "run" / "model.joblib")
    known = rides.dropna(subset="cnt").reset_index(drop=True)
    options = {"test_size": 0.2, "random_state": 0, "baseline": False}
    again = evaluate(model, known.drop(columns="cnt"), known["cnt"], **options)
    predictions = model.predict(known.iloc[again.test_indices])
    rmse = np.sqrt(np.mean((predictions - known["cnt"].iloc[again.test_indices]) ** 2))
    assert numbers(saved, "FFNNRegressor")[1] == pytest.approx(rmse, abs=0.006)


def test_predict(saved, rides, capsys):
    model = joblib.load("new/run/model.joblib")
    # Without a target, in another order, with a column and an hour never seen.
    new = rides.drop(columns=["cnt", "id"])[::-1].assign(extra="x", hour=99)
    new.to_csv("new.csv", index=False)
    assert main(["predict", "new/run/model.joblib", "new.csv", "--out=p.csv"]) == 0
    assert capsys.readouterr().out == "Wrote 120 predictions to p.csv.\n"
    predictions = pd.read_csv("p.csv")["prediction"]
    np.testing.assert_allclose(predictions, model.predict(new))


def test_predict_to_the_terminal_ignores_the_target(saved, capsys):
    assert main(["predict", "new/run/model.joblib", "rides.csv"]) == 0
    printed = pd.read_csv(io.StringIO(capsys.readouterr().out))["prediction"]
    rides = pd.read_csv("rides.csv")
    known = rides["cnt"].notna()
    assert np.corrcoef(printed[known], rides["cnt"][known])[0, 1] > 0.7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="temp"), "lacks a column of the model: temp"),
        (lambda t: t.assign(temp="warm"), "'temp' was numeric .* 'warm'"),
        (lambda t: t[:0], "is empty"),
    ],
)
def test_tables_that_do_not_fit_the_model(saved, rides, change, message, capsys):
    change(rides).to_csv("other.csv", index=False)
    options = ["predict", "new/run/model.joblib", "other.csv", "--out=p.csv"]
    assert_mistake(options, message, capsys)
    assert not os.path.exists("p.csv")


def test_predict_does_not_overwrite_the_table(saved, capsys):
    options = ["predict", "new/run/model.joblib", "rides.csv", "--out=rides.csv"]
    assert_mistake(options, "would overwrite", capsys)


def test_predictions_that_cannot_be_written(saved, capsys):
    options = ["predict", "new/run/model.joblib", "rides.csv", "--out=no/p.csv"]
    assert_mistake(options, "cannot write no/p.csv: .*director", capsys)


def test_a_model_that_needs_an_extra(saved, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] == "skrub"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [WithoutSkrub, *sys.meta_path])
    options = ["predict", "new/run/model.joblib", "rides.csv"]
    message = r"This model needs skrub: pip install 'skffnn\[cli\]'"
    assert_mistake(options, message, capsys)


class WithoutSkrub:
    """A finder of modules that does not find one."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "skrub":
            raise ModuleNotFoundError(name, name="skrub")


# mistakes


def assert_mistake(options, message, capsys):
    before = sorted(os.walk("."))
    assert main(options) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert re.fullmatch(r"skffnn: error: .*" + message + ".*\n", errors)
    assert sorted(os.walk(".")) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("nothing.csv --target=cnt", "cannot read nothing.csv: no such file"),
        ("empty.csv --target=cnt", "empty.csv is empty"),
        ("rides.csv", "--target is missing: which column to predict[?] id, hour, city"),
        ("rides.csv --target=cnd", "no column 'cnd'; did you mean 'cnt'[?]"),
        ("rides.csv --target=city", "'city' is not numeric: "),
        ("rides.csv --target=cnt --drop=Temp,x", "no column 'Temp'; did you mean 'te"),
        ("rides.csv --target=cnt --categorical=hours", "did you mean 'hour'[?]"),
        ("rides.csv --target=cnt --drop=cnt", "'cnt' is the target"),
        (
            "rides.csv --target=cnt --drop=id,hour,city,day,temp --drop=open",
            "leaves no column",
        ),
        ("rides.csv --target=cnt --learning-rates=0.1,fast", "'0.1,fast' is not a li"),
        ("--learning-rates=0", "--learning-rates: '0' is not a list of rates"),
        ("--learning-rates=nan", "'nan' is not a list of rates"),
        ("--hidden=10,-1", "--hidden: '10,-1' is not a list of units"),
        ("--test-size=1", "--test-size: '1' is not a share"),
        ("--test-size=0.2,0.3", "--test-size: '0.2,0.3' is not a share"),
        ("--jobs=1,2", "--jobs: '1,2' is not a number of jobs"),
        ("--seed=-1", "--seed: '-1' is not a number"),
        ("--jobs=0", "--jobs: '0' is not a number of jobs"),
        ("--target=cnt", "--target goes with a table of yours"),
        ("--colour=red", "unrecognized arguments: --colour=red"),
        ("predict model.joblib", "required: data"),
        ("predict nothing.joblib rides.csv", "nothing.joblib: no such file"),
        ("predict rides.csv rides.csv", "rides.csv is no model of this command"),
    ],
)
def test_mistakes_are_told_in_one_line(rides, options, message, capsys):
    open("empty.csv", "w").close()
    assert_mistake(options.split(), message, capsys)


def test_out_that_cannot_be_written(rides, capsys):
    pytest.importorskip("skrub")
    pytest.importorskip("matplotlib")
    options = ["rides.csv", "--target=cnt", "--out=rides.csv/run", *FAST]
    assert_mistake(options, "cannot write to", capsys)


def test_every_rate_diverges(capsys):
    assert main(["--learning-rates=1e9,1e10"]) == 2
    assert capsys.readouterr().err == (
        "skffnn: error: training diverged at every rate: try lower --learning-rates\n"
    )


def test_interruption(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "evaluate", interrupted)
    assert main([]) == 130
    assert capsys.readouterr().err == "skffnn: interrupted\n"


@pytest.mark.parametrize(
    ("options", "package"),
    [
        ("rides.csv --target=cnt", "skrub"),
        ("--out=run", "matplotlib"),
        ("rides.csv --target=cnt --out=run", "matplotlib"),
        ("rides.parquet --target=cnt", "pyarrow"),
    ],
)
def test_missing_extras(rides, options, package, monkeypatch, capsys):
    with open("rides.parquet", "wb") as file:
        file.write(b"PAR1")
    monkeypatch.setitem(sys.modules, package, None)
    message = rf"needs {package}: pip install 'skffnn\[cli\]'"
    assert_mistake(options.split(), message, capsys)


WITHOUT_EXTRAS = """
import sys

class Missing:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in ("skrub", "matplotlib", "rich", "pyarrow", "torch"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing)
from skffnn.cli.main import main
sys.exit(main(["--learning-rates=0.03", "--hidden=4"]))
"""


def test_diabetes_needs_no_extra():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_EXTRAS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    assert "It generalises" in run.stdout


def interrupted_run():
    """The exit code and the errors of a command that gets a Ctrl-C; None if it is lost.

    A KeyboardInterrupt that Python raises within a callback from C, such as those by
    which threadpoolctl looks for BLAS, is thrown away.
    """
    run = subprocess.Popen(
        [sys.executable, "-m", "skffnn", "--overfit"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # As at a terminal, even if the tests run where Ctrl-C is switched off.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    # The heading comes right before the search.
    assert run.stdout is not None
    assert "diabetes" in run.stdout.readline()
    os.killpg(run.pid, signal.SIGINT)
    try:
        _, errors = run.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        return None
    return (run.returncode, errors) if run.returncode else None


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_as_a_module_interrupted_by_its_user():
    """Ctrl-C goes to the whole group, and nobody there prints a traceback."""
    runs = (interrupted_run() for _ in range(3))
    assert next(filter(None, runs), None) == (130, "skffnn: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="a pipe of the shell")
def test_output_that_nobody_reads():
    run = subprocess.run(
        f"{sys.executable} -m skffnn --learning-rates=0.03 --hidden=4 | true",
        shell=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stderr == ""


# its parts
