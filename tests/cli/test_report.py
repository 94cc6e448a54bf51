"""What the command prints: tables that are aligned, and notes where they help."""

import numpy as np
import pandas as pd

from skffnn.cli.report import Report, edge_note, rates_text


def test_edge_of_the_rates():
    rates = pd.DataFrame(
        {"learning_rate": [0.1, 1, 10], "chosen": [True, False, False]}
    )
    assert "lowest" in edge_note(rates)
    assert edge_note(rates.assign(chosen=[False, True, False])) == ""
    assert "highest" in edge_note(rates.assign(chosen=[False, False, True]))


def test_no_edge_against_the_advice_of_the_fit():
    rates = pd.DataFrame({"learning_rate": [0.1, 1], "chosen": [False, True]})
    for advice in (["learning_rate=0.2"], ["a lower learning_rate (now 1)"]):
        assert edge_note(rates, advice) == ""
    others = ["a larger max_iter", "learning_rate_schedule='cosine'"]
    assert "highest" in edge_note(rates, others)


def test_rates_text_is_aligned():
    rates = pd.DataFrame(
        {
            "learning_rate": [0.01, 0.1, 10],
            "train_rmse": [1234.5, 99.4, np.nan],
            "validation_rmse": [1500.1, 120.3, np.nan],
            "spread": [10.0, 2.5, np.nan],
            "chosen": [False, True, False],
        }
    )
    assert rates_text(rates).splitlines() == [
        "learning rate  train RMSE  validation RMSE",
        "0.01              1,234.5   1,500.1 ± 10.0",
        "0.1                  99.4      120.3 ± 2.5  <- chosen",
        "10               diverged         diverged",
    ]


def test_report_keeps_what_it_prints(capsys):
    report = Report()
    report.say("one")
    report.say("two")
    assert report.text == "one\n\ntwo"
    assert capsys.readouterr().out.strip() == report.text
