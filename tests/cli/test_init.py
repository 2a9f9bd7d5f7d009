"""Plans to start from: each is accepted as it is written, and with every line that it offers written out."""

import re

import numpy as np
import pandas as pd
import pytest

from kdaudit.cli.main import code_of


def offered(text):
    """The template with every commented item written out."""
    return re.sub(r"^(\s*)# (- \{name: [a-z-]+, kind: \w+, .*)$", r"\1\2", text, flags=re.M)


@pytest.mark.parametrize("template", ["tabular", "texts", "recorded"])
def test_templates_read_well_with_all_that_they_offer(template, tmp_path, capsys):
    file = tmp_path / "audit.yaml"
    assert code_of(["init", str(file), "--template", template]) == 0
    rng, n = np.random.default_rng(0), 13_000 if template == "tabular" else 8_000
    columns = {
        "age": rng.integers(21, 90, n),
        "sex": rng.choice(["female", "male"], n),
        "savings": rng.choice(["none", "little", "moderate", "rich"], n),
        "amount": rng.integers(1, 10**6, n),
        "priors": rng.integers(0, 9, n),
        "review": [f"good {i} bad" for i in range(n)],
        **dict.fromkeys(("bad", "reoffended", "positive"), rng.integers(0, 2, n)),
    }
    table = pd.DataFrame(columns).rename_axis("id").reset_index()
    table.to_csv(tmp_path / "people.csv", index=False)
    table.to_csv(tmp_path / "reviews.csv", index=False)
    table.to_parquet(tmp_path / "applications.parquet")
    assert code_of(["check", str(file)]) == 0
    plain = capsys.readouterr().out
    assert "the budget may end early" not in plain
    text = file.read_text()
    # concepts need ids, of which the template names no column
    every = offered(text).replace("name: reviews of 2025", "ids: id\n  name: reviews of 2025")
    assert template == "recorded" or every != text
    file.write_text(every)
    assert code_of(["check", str(file)]) == 0, capsys.readouterr().err
    assert "reads well" in capsys.readouterr().out
