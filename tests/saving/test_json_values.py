"""Values come back from JSON as they were: types, keys, dtypes and states."""

import json

import numpy as np
import pandas as pd
import pytest

from skffnn.saving.json_values import Decoder, Encoder


def there_and_back(value):
    encoder = Encoder(lambda estimator: None)
    text = json.dumps(encoder.encode(value, "value"))
    decoder = Decoder(encoder.arrays, lambda name, values: None)
    result = decoder.decode(json.loads(text))
    assert not decoder.arrays
    return result


VALUES = {
    "words of JSON": [None, True, 1, 1.5, "a", {"b": [2**70]}],
    "what is no number": [float("inf"), -float("inf"), -0.0],
    "tuples": ((), (1, (2, [3]))),
    "names that are no strings": {1: "a", ("b", 2): None},
    "names that look like tags": {"$array": 1, "$": {"$tuple": 2}},
    "arrays": {"a.b": np.arange(3), "a": {"b": np.eye(2, dtype=np.float32)}},
    "strings": np.array([["a", "é"], ["", "\0"]], dtype=object),
    "a masked array": np.ma.MaskedArray([1.5, np.nan], [False, True]),
    "masked values of any kind": np.ma.MaskedArray(
        [{"a": 1}, None], [False, True], object
    ),
    "a generator": np.random.default_rng(3),
    "a random state": np.random.RandomState(3),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(equal, name):
    assert equal(there_and_back(VALUES[name]), VALUES[name])


def test_a_number_of_numpy_becomes_one_of_python():
    assert type(there_and_back(np.float32(0.5))) is float


def test_a_series_becomes_an_array():
    np.testing.assert_array_equal(there_and_back(pd.Series([1.0, 2.0])), [1, 2])


def test_a_generator_goes_on_where_it_was():
    rng = np.random.default_rng(0)
    rng.normal(size=7)
    again = there_and_back(rng)
    assert again is not rng
    np.testing.assert_array_equal(again.normal(size=9), rng.normal(size=9))


class Counted(int):
    """A name whose comparisons are counted."""

    comparisons = 0

    def __eq__(self, other):
        type(self).comparisons += 1
        return int(self) == int(other)

    __hash__ = int.__hash__


@pytest.mark.parametrize("n", [50, 100, 101, 20_000])
def test_names_that_get_in_each_others_way_cost_little(n):
    names = [Counted(k * (2**61 - 1)) for k in range(n)]  # all of one hash
    pairs = [[name, 0] for name in names]
    Counted.comparisons, decoder = 0, Decoder({}, lambda name, values: None)
    if n <= 100:
        assert len(decoder.decode({"$dict": pairs})) == n
    else:
        with pytest.raises(ValueError, match="more than 100 names that are no strings"):
            decoder.decode({"$dict": pairs})
        with pytest.raises(ValueError, match="more than 100 names that are no strings"):
            Encoder(lambda estimator: None).encode(dict.fromkeys(range(n)), "value")
    assert Counted.comparisons <= 100 * n


def test_a_dict_may_have_many_names_that_are_strings(equal):
    value = {f"${i}": i for i in range(1000)} | {i: i for i in range(100)}
    assert equal(there_and_back(value), value)


def test_only_so_many_masked_arrays():
    value = [np.ma.MaskedArray([1.0], [False])] * 1001
    assert len(there_and_back(value[:1000])) == 1000
    with pytest.raises(ValueError, match="more than 1000 masked arrays"):
        there_and_back(value)


@pytest.mark.parametrize(
    "value", [{1, 2}, b"a", 1j, print, np.array([1j]), np.zeros(2, "M8[s]")]
)
def test_what_has_no_words_says_where_it_stands(value):
    with pytest.raises(ValueError, match=r"value\.a\.1 cannot be saved without pickle"):
        Encoder(lambda estimator: None).encode({"a": [0, value]}, "value")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"$array": "none"}, "names an array that is not there: 'none'"),
        ({"$unknown": 1}, r"'\$unknown', which does not exist"),
        ({"$tuple": 1}, r"'\$tuple' is none"),
        ({"$strings": [[1], [1]]}, "among its strings is something else"),
        ({"$strings": [[-1], ["a", "b"]]}, "the shape of its strings"),
        ({"$strings": [[-1, -2], ["a", "b"]]}, "the shape of its strings"),
        ({"$strings": [[3], ["a", "b"]]}, "the shape of its strings"),
        ({"$strings": [[2.0], ["a", "b"]]}, "the shape of its strings"),
        ({"$strings": [2, ["a", "b"]]}, "the shape of its strings"),
        ({"$strings": [[1] * 65, ["a"]]}, "the shape of its strings"),
        ({"$strings": [[2**62, 0, 2**62], []]}, "'\\$strings' is none|cannot|large"),
        ({"$masked": [[1], [False], "object_"]}, "a masked array of 'object_'"),
        ({"$masked": [[1, 2], [False], "float64"]}, "longer or shorter"),
    ],
)
def test_what_no_encoder_has_made_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        Decoder({}, lambda name, values: None).decode(value)
