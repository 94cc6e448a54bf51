"""What the README shows is what a reader gets."""

import doctest
import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
NUMBER = re.compile(r"-?\d+\.\d+")


class NearlyEqual(doctest.OutputChecker):
    """The same words, and numbers that agree within 5 % or 0.02.

    Rounding differs between processors, and training amplifies it.
    """

    def check_output(self, want, got, optionflags):
        if super().check_output(NUMBER.sub("#", want), NUMBER.sub("#", got), 0):
            pairs = zip(NUMBER.findall(want), NUMBER.findall(got), strict=True)
            return all(
                abs(float(a) - float(b)) <= max(0.05 * abs(float(a)), 0.02)
                for a, b in pairs
            )
        return False


def run(text):
    test = doctest.DocTestParser().get_doctest(text, {}, "README.md", None, 0)
    runner = doctest.DocTestRunner(NearlyEqual(), verbose=False)
    messages = []
    runner.run(test, out=messages.append)
    return runner.tries, "".join(messages)


def test_the_examples_print_what_the_readme_says():
    tries, failures = run(README.read_text(encoding="utf-8"))
    assert tries == 18
    assert not failures


def test_the_comparison_can_fail():
    assert run(">>> 1.0\n1.04\n")[1] == ""
    assert "1.2" in run(">>> 1.0\n1.2\n")[1]
    assert run(">>> print('ends', 1.0)\nbegins 1.0\n")[1]
