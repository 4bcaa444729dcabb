"""Read the tables of a run into pandas: how far do scores fall from the first turn to the last, by strategy?"""

import pandas as pd

from jmedethic_pytest import evaluate

outcome = evaluate("demo:eroding", suite="smoke")  # writes report.html and tables/*.csv, too
cases = pd.read_csv(outcome.path / "tables" / "cases.csv", encoding="utf-8-sig")

falls = cases.groupby("strategy")[["T0", "T2"]].mean()
falls["fall"] = falls["T0"] - falls["T2"]
print(falls.round(2).sort_values("fall", ascending=False).to_string())
