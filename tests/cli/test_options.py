"""What a user may ask of the command, and what is no answer."""

import pytest

from skffnn.cli.options import UsageError, predict_parser, train_parser


def parsed(*words):
    return train_parser().parse_args(words)


def test_lists_may_be_given_at_once_or_one_by_one():
    assert parsed("--drop=a, b", "--drop", "c,").drop == ["a", "b", "c"]
    assert parsed("--hidden=8,4").hidden == (8, 4)
    assert parsed("--learning-rates=0.1,0.01,0.1").learning_rates == [0.01, 0.1]


def test_nothing_has_to_be_given():
    options = parsed()
    assert (options.data, options.seed, options.test_size) == (None, 0, 0.2)
    assert (options.learning_rates, options.hidden, options.jobs) == ([], None, None)


@pytest.mark.parametrize(
    "word",
    [
        *("--test-size=1", "--test-size=0.1,0.2", "--hidden=8,-1", "--hidden=a"),
        *(
            "--learning-rates=0",
            "--learning-rates=inf",
            "--seed=-1",
            "--seed=4294967296",
        ),
        *("--jobs=0", "--jobs=1,2", "--no-such-option"),
    ],
)
def test_a_mistake_is_told_in_one_line(word):
    with pytest.raises(UsageError, match="see python -m skffnn --help") as error:
        parsed(word)
    assert "\n" not in str(error.value)


def test_predictions_need_a_model_and_a_table():
    options = predict_parser().parse_args(["model.joblib", "new.csv"])
    assert (options.model.name, options.data.name, options.out) == (
        "model.joblib",
        "new.csv",
        None,
    )
    with pytest.raises(UsageError, match="data"):
        predict_parser().parse_args(["model.joblib"])
