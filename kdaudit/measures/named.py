"""Measures by the names that a plan uses."""

from __future__ import annotations

from kdaudit.errors import InvalidInput
from kdaudit.measure import Measure
from kdaudit.measures.agreement import AGREEMENT, BESIDE_OUTCOMES
from kdaudit.measures.alike import ALIKE, ATTEND
from kdaudit.measures.borders import BORDERS
from kdaudit.measures.calibration import BRIER
from kdaudit.measures.divergence import KL, SCORE_ERROR
from kdaudit.measures.ranks import LIKENESS
from kdaudit.measures.reasons import FURTHER

MEASURES: dict[str, Measure] = {m.name: m for m in (AGREEMENT, KL, SCORE_ERROR, BRIER)}

DEFINITIONS: dict[str, str] = {
    **{m.name: f"{m.definition} ({m.source})" for m in (*MEASURES.values(), BESIDE_OUTCOMES)},
    **{m.name: f"{m.definition} ({m.source})" for m in LIKENESS},
    **{m.name: f"{m.definition} ({m.source})" for m in (*BORDERS, *ALIKE, *ATTEND)},
    **{m.name: f"{m.definition} ({m.source})" for m in FURTHER},
    "importance_order": "rank correlation of the fields' mean sizes over all rows; it does not see which way they pull "
    "(Spearman 1904; Breiman 2001)",
    "importance_overlap": "1 minus the Jensen-Shannon divergence of the fields' shares of importance over all rows, in "
    "bits (Lin 1991)",
    "spearman_beside_random": "rank correlation of the signed shares on up to 50 rows, beside that of the teacher with "
    "its weights in random order (Adebayo et al. 2018)",
    "crossed_faithfulness": "area between the teacher's score as fields are put in and as they are taken away, in the "
    "proxy's order of fields, mean over rows (Petsiuk et al. 2018, insertion and deletion)",
    "selection_rate": "share of a group's rows that are decided yes (demographic parity; Calders et al. 2009)",
    "selection_rate_difference": "selection rate of a group minus that of the reference group (Calders et al. 2009)",
    **{
        f"{name}{end}": f"{what}{words} ({source})"
        for name, what, source in (
            ("true_positive_rate", "share decided yes among a group's rows whose outcome is yes", "Hardt et al. 2016"),
            ("false_positive_rate", "share decided yes among a group's rows whose outcome is no", "Hardt et al. 2016"),
            ("false_negative_rate", "share decided no among a group's rows whose outcome is yes", "Chouldechova 2017"),
            ("true_negative_rate", "share decided no among a group's rows whose outcome is no", "Chouldechova 2017"),
            (
                "positive_predictive_value",
                "share of outcomes yes among those decided yes",
                "Chouldechova 2017",
            ),
            ("error_rate", "share of a group's rows decided against their outcome", "Buolamwini and Gebru 2018"),
            ("score_quantile", "quantile of the score over a group's rows", "Woodruff 1952"),
            ("calibration_gap", "mean of outcome minus score over a group's rows", "Pleiss et al. 2017"),
            ("mean_error", "mean of score minus outcome over a group's rows", "Agarwal et al. 2019"),
            ("r_squared", "1 minus mean square error over the variance of a group's outcomes", "Wright 1921"),
            ("ranking_exposure", "mean of 1 / log2(1 + rank) over a group's rows", "Singh and Joachims 2018"),
            ("absolute_error", "mean distance of score and outcome over a group's rows", "Agarwal et al. 2019"),
        )
        for end, words in (("", ""), ("_difference", ", minus the same of the reference group"))
    },
    "impact_ratio": "selection rate of a group over that of the reference group (four-fifths rule, 29 CFR 1607.4 D)",
    "equalized_odds_difference": "larger absolute difference of true and of false positive rates (Hardt et al. 2016)",
    "score": "mean score of a group's rows",
    "score_difference": "mean score of a group minus that of the reference group",
    "counterfactual_shift": "decision with the field at one value minus decision with it at the other, all else kept, "
    "mean over rows (Kusner et al. 2017, direct effect only)",
    "group_agreement": "share of a group's rows asked in which the proxy decides as the teacher",
    "calibration_error": "sum over bins of the absolute mean of outcome minus score, each counted by the bin's share "
    "of the group's rows (Naeini et al. 2015)",
    "situation_gap": "share of yes among a row's nearest rows of its level minus that among those of the other "
    "level, mean over rows (situation testing; Luong et al. 2011)",
    "situation_share": "share of rows in which that difference is larger than the plan's `beyond`",
    "flip_recall": "share of the teacher's changed decisions that change alike in the proxy",
    "flip_precision": "share of the decisions changed in the proxy that change alike in the teacher",
    "counterfactual_score_shift": "score with the field at one value minus score with it at the other, mean over rows",
    "counterfactual_flip_rate": "share of rows whose decision differs between the field's two values, all else kept",
    "attack_success_rate": "share of rows whose decision turns by a small change that was made on a proxy, among rows "
    "that all decide alike before it (transfer rate; Papernot et al. 2016)",
    "attack_gain_over_chance": "attack success rate minus the rate for changes by chance as far, row by row",
    "random_change_rate": "share of rows whose decision turns by a change by chance, as far as the proxy's",
    "own_attack_rate": "share of rows whose decision turns by a small change that was made on the teacher itself",
    "gradient_cosine": "cosine of proxy's and teacher's gradients towards another decision, mean over rows (Demontis "
    "et al. 2019)",
    "corruption_turn_rate": "share of rows whose decision turns when they come corrupted in one way (Hendrycks and "
    "Dietterich 2019)",
    "trigger_success_rate": "share of rows decided otherwise that a mark, found on a proxy, turns to its target "
    "(attack success rate; Gu et al. 2017)",
    "chance_mark_rate": "share of rows decided otherwise that a mark by chance, as large, turns to the same target",
    "rate_of_yes": "share of the rows for which a rule answers that the teacher decides yes",
    "precision": "share of the rows for which a rule answers on which proxy and teacher decide alike",
    "coverage": "share of all rows for which a rule answers",
    "agreement_by_class": "share of rows with one decision of the teacher on which the proxy decides alike (recall)",
    "explained_variance": "1 minus mean squared difference of scores over the variance of the teacher's (R squared)",
    "mean_difference": "mean of the teacher's score minus another's (or at another level of a field), row by row",
    "rate_of_disagreement": "share of rows on which the teacher decides otherwise than another",
}
"""How each measure that a report may show is defined, and its source where it has one."""


def measure(name: str) -> Measure:
    """Return the measure called `name`.

    Raises
    ------
    InvalidInput
        If there is none.
    """
    if name not in MEASURES:
        raise InvalidInput(f"there is no measure {name!r}; measures are {', '.join(MEASURES)}")
    return MEASURES[name]
