"""Write the two tables of this case, people and recorded scores, from the public COMPAS file below KDAUDIT_DATA.

    KDAUDIT_DATA=/path/to/sets python case_studies/recidivism/prepare.py

Rows are kept as ProPublica's analysis keeps them: screened within 30 days of the arrest, an ordinary charge, a score.
"""

import gzip
import io
import os
import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
FILE = Path("compas") / "compas-scores-two-years.noname.csv.gz"
RACES = {"African-American": "Black", "Caucasian": "white", "Hispanic": "Hispanic", "Asian": "Asian"}
FIELDS = ["age", "sex", "race", "priors", "charge", "juvenile_felonies", "juvenile_misdemeanors", "juvenile_other"]


def tables(data: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return people (fields and whether they were charged again within two years) and their recorded scores."""
    raw = pd.read_csv(io.BytesIO(gzip.decompress((data / FILE).read_bytes())))
    kept = raw[
        raw["days_b_screening_arrest"].between(-30, 30)
        & (raw["is_recid"] != -1)
        & (raw["c_charge_degree"] != "O")
        & (raw["score_text"] != "N/A")
    ]
    people = pd.DataFrame(
        {
            "id": kept["id"],
            "age": kept["age"],
            "sex": kept["sex"].str.lower(),
            "race": kept["race"].map(RACES).fillna("other"),
            "priors": kept["priors_count"],
            "charge": kept["c_charge_degree"].map({"F": "felony", "M": "misdemeanor"}),
            "juvenile_felonies": kept["juv_fel_count"],
            "juvenile_misdemeanors": kept["juv_misd_count"],
            "juvenile_other": kept["juv_other_count"],
            "charged_again": kept["two_year_recid"],
        }
    )
    # the middle of each tenth: 5 to 10, which the vendor calls medium and high, lie above 0.4
    return people, pd.DataFrame({"id": kept["id"], "score": (kept["decile_score"] - 0.5) / 10})


def main() -> None:
    """Write people.csv and scores.csv beside this file."""
    folder = os.environ.get("KDAUDIT_DATA")
    if not folder:
        sys.exit("KDAUDIT_DATA is not set; it names the folder that holds compas/")
    people, scores = tables(Path(folder))
    people.to_csv(HERE / "people.csv", index=False)
    scores.to_csv(HERE / "scores.csv", index=False)
    sys.stdout.write(f"{len(people)} people\n")


if __name__ == "__main__":
    main()
