"""A run made of words alone: two proxies, fidelity, three probes and a tree, with numbers chosen to meet every case."""

from dataclasses import replace
from pathlib import Path

import pytest

from kdaudit.domain import Category, Domain, Real
from kdaudit.evidence import Evidence, Row
from kdaudit.finding import Finding, Severity, Transfer, Verdict
from kdaudit.interval import Interval, counted, unknown
from kdaudit.rules import Rule, Rules, Test
from kdaudit.run.evidence import write_evidence
from kdaudit.run.folder import RunFolder
from kdaudit.run.manifest import seal
from kdaudit.run.reading import Run, findings_data

DOMAIN = Domain(
    (
        Real("hours_per_week", 1, 99, integer=True),
        Real("age", 17, 95, "years", integer=True),
        Category("schooling", ("none", "school", "bachelor's degree", "doctorate"), ordered=True),
        Category("sex", ("female", "male"), protected=True),
    )
)
NO_TWIN = "nothing to draw again"


def about(value, low, high, n=3000, method="Wilson"):
    return Interval(value, low, high, n, 0.95, method)


def fidelity(name, shift=0.0):
    agreement = Row(
        "agreement", "all", "teacher-proxy", about(0.941 + shift, 0.934 + shift, 0.947 + shift), "percent", 3000,
        control=about(0.923, 0.917, 0.929), excess=about(0.018 + shift, 0.009 + shift, 0.027 + shift),
        ceiling=about(0.968, 0.963, 0.973), control_kind="strangers_proxy", title="Same decision as the teacher",
    )  # fmt: skip
    groups = tuple(
        replace(agreement, group=g, value=about(v, v - 0.02, v + 0.02, 1400), excess=about(0.005, -0.01, 0.02, 1400))
        for g, v in (("sex = female", 0.95), ("sex = male", 0.92), ("worst slice: age at most 30", 0.84))
    )
    kl = Row(
        "kl", "all", "teacher-proxy", about(0.041, 0.038, 0.045), "nats", 3000, control=about(0.061, 0.055, 0.066),
        excess=about(-0.020, -0.026, -0.014), no_ceiling=NO_TWIN, control_kind="strangers_proxy",
        title="Divergence of the scores", high_end=0.2,
    )  # fmt: skip
    return Evidence(
        "compare/fidelity", "Does the proxy answer as the teacher does?", (agreement, *groups, kl), proxy_name=name,
        context={"population": "3,000 rows set aside for judging", "method": "paired bootstrap",
                 "failed": {"teacher": 2, "proxy": 0},
                 "worst_slice": {"group": "age at most 30", "tried": 480, "method": "searched on one half"}},
    )  # fmt: skip


CONTRASTS = (
    # group, teacher, half, proxies' values, verdict, transfers, needed
    ("sex: female - male", -0.104, 0.011, (-0.098, -0.11), "FAILS", ("CARRIED", "CARRIED"), None),
    ("race: Black - white", -0.081, 0.014, (-0.012, -0.07), "FAILS", ("MASKED", "CARRIED"), None),
    ("age: 60 and more - 30 to 44", -0.004, 0.012, (0.069, 0.01), "HOLDS", ("INVENTED", "ABSENT-IN-BOTH"), None),
    ("birthplace: elsewhere - United States", 0.048, 0.026, (0.051, 0.02), "UNDECIDED", ("UNDECIDED",) * 2, 2900),
)


def parity(name, at):
    rows = []
    for group, teacher, half, proxies, *_ in CONTRASTS:
        words = {"unit": "points", "title": "Difference in the rate scored above the line", "no_ceiling": NO_TWIN}
        words |= {"low_end": -1.0, "high_end": 1.0}
        rows.append(
            Row("rate difference", group, "teacher", about(teacher, teacher - half, teacher + half, 1200, "PPI++"),
                asked=1200, control=about(0.001, -0.01, 0.012, 1200), control_kind="permuted",
                excess=about(teacher, teacher - 1.4 * half, teacher + 1.4 * half, 1200),
                population=about(teacher, teacher - 1.2 * half, teacher + 1.2 * half, 1200), **words)
        )  # fmt: skip
        proxy = counted(proxies[at], 7000)
        rows.append(Row("rate difference", group, "proxy", proxy, no_control="counted, not estimated", **words))
        gap = about(teacher - proxies[at], teacher - proxies[at] - half, teacher - proxies[at] + half, 1200)
        rows.append(
            Row("rate difference", group, "teacher-proxy", gap, no_control="it is itself a comparison", **words)
        )
    context = {"contrasts": {CONTRASTS[0][0]: {"width_ratio": 0.46, "strangers_width_ratio": 0.5}}, "failed": 3}
    return Evidence(
        "probes/parity", "Are groups scored above the line equally often?", tuple(rows), context=context,
        shows="transfer", proxy_name=name,
    )  # fmt: skip


def findings(name, at):
    for group, teacher, half, proxies, verdict, transfers, needed in CONTRASTS:
        gap = teacher - proxies[at]
        first, second = group.split(": ")[1].split(" - ")
        kind = {"FAILS": Severity.MEDIUM, "HOLDS": Severity.NONE, "UNDECIDED": Severity.OPEN}[verdict]
        yield Finding(
            "probes/parity", f"{first} and {second} are scored above the line equally often", "rate difference",
            group, "within", 0.05, "points",
            about(teacher, teacher - half, teacher + half, 1200, "PPI++"),
            counted(proxies[at], 7000), about(gap, gap - half, gap + half, 1200),
            Verdict(verdict), Transfer(transfers[at]), kind, 1200, needed, f"evidence/probes.parity.{name}.parquet",
            "kdaudit audit audit.yaml", name, "the interval reaches over the margin" if needed else "",
            f"{first} is scored above the line {abs(teacher) * 100:.1f} points "
            f"{'less' if teacher < 0 else 'more'} often than {second}.",
        )  # fmt: skip


def of_proxy(name):
    return Finding(
        "compare/fidelity", f"the {name} decides more like the teacher than a stranger does", "agreement", "all",
        "above control", 0.0, "percent", unknown("about the proxy alone"), about(0.941, 0.934, 0.947),
        unknown("about the proxy alone"), Verdict.HOLDS, Transfer.NONE, Severity.NONE, 3000, None,
        f"evidence/compare.fidelity.{name}.parquet", "kdaudit audit audit.yaml", name, "", "It does.",
    )  # fmt: skip


RULES = Rules(
    "tree",
    (
        Rule((Test("hours_per_week", below=33.5), Test("schooling", below=1.5)), (0.029,), 1402),
        Rule((Test("hours_per_week", below=33.5), Test("schooling", above=1.5)), (0.31,), 655),
        Rule((Test("hours_per_week", above=33.5), Test("age", below=40.5)), (0.36,), 980),
        Rule((Test("hours_per_week", above=33.5), Test("age", above=40.5)), (0.588,), 463),
    ),
    ("above",),
)


def rulebook(name):
    rates = ((0.029, 0.02, 0.04), (0.29, 0.25, 0.33), (0.37, 0.33, 0.41), (0.6, 0.55, 0.64))
    rows = tuple(
        Row("rate in rule", f"rule {at + 1}: tests in words", "teacher", about(*rate, 600), "percent", 600,
            control=about(0.34, 0.32, 0.36), control_kind="permuted",
            no_ceiling=NO_TWIN, title="Teacher's rate in the rule")
        for at, rate in enumerate(rates)
    )  # fmt: skip
    return Evidence("compare/rulebook", "What do the rules say?", rows, shows="rules", proxy_name=name)


ACCOUNT = {
    "title": "Does the income scorer treat people alike?",
    "teacher": {"name": "income scorer", "digest": "9f3a" * 16, "basis": "content", "outputs": ["above"],
                "behaviour": "scored above 50,000 dollars"},
    "strangers": [{"name": "independent scorer", "digest": "77aa" * 16, "basis": "content", "outputs": ["above"]}],
    "twin": {"reason": "the plan names none"},
    "origin": {"name": "acs_income", "source": "American Community Survey 2018", "digest": "00"},
    "scope": "age >= 18",
    "parts": {"fit": 3500, "select": 1000, "judge": 3000, "pool": 7000},
    "budget": {"limit": 12000, "used": 8700, "proxies": 4500, "compare": 3000, "probes": 1200},
    "epoch": {"moved": False, "sentence": "The teacher's weights are known: its answers cannot move unseen."},
    "not_tested": ["Other years than 2018.", "Any use of the score other than the line at 50,000 dollars."],
    "notes": ["Rows without a birthplace are left out."],
    "proxies": ["student", "tree"],
    "failed_questions": [],
}  # fmt: skip


def card(name, words, **size):
    return {"name": name, "kind": name, "words": words, "recipe": {"leaves": 16}, "identity": "ab" * 32, "seed": 0,
            "cost": {"fit": 3500, "select": 1000}, "size": size, "shown_in_whole": name == "tree"}  # fmt: skip


def build(path=Path("runs/01JDF0Z9Q0V6M3T5K8W2X4Y7RB")):
    evidence = {}
    for at, name in enumerate(("student", "tree")):
        evidence[f"compare.fidelity.{name}"] = fidelity(name, -0.05 * at)
        evidence[f"probes.parity.{name}"] = parity(name, at)
    evidence["compare.rulebook.tree"] = rulebook("tree")
    found = [of_proxy("student"), *findings("student", 0), *findings("tree", 1)]
    return Run(
        path=path,
        plan={"kdaudit": 1, "domain": DOMAIN.to_data()},
        environment={"python": "3.11.7", "packages": {"numpy": "2.4.6"}},
        account=ACCOUNT,
        findings=tuple(found),
        evidence=dict(sorted(evidence.items())),
        cards={"student": card("student", "network of 1,154 weights", parameters=1154),
               "tree": card("tree", "tree of 4 leaves", leaves=4, terms=3)},
        rules={"tree": RULES},
        manifest=None,
    )  # fmt: skip


def written(runs, run=None):
    """Write a run below the folder `runs` as an audit does, sealed, and return its path."""
    run = build() if run is None else run
    path = runs / run.path.name
    path.mkdir(parents=True)
    folder = RunFolder(path)
    for name in ("plan", "environment", "account"):
        folder.write_json(f"{name}.json", getattr(run, name))
    folder.write_json("findings.json", findings_data(run.findings))
    for name, data in run.cards.items():
        folder.write_json(f"proxies/{name}/card.json", data)
    for name, rules in run.rules.items():
        folder.write_json(f"proxies/{name}/rules.json", rules.to_data())
    for evidence in run.evidence.values():
        write_evidence(folder, evidence)
    seal(folder, "complete")
    return path


@pytest.fixture
def run():
    return build()


@pytest.fixture
def made():
    """How to make a run at another path."""
    return build


@pytest.fixture
def on_disk(tmp_path):
    """Path of a sealed run."""
    return written(tmp_path / "runs")
