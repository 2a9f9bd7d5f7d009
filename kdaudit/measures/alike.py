"""What is measured about two representations."""

from __future__ import annotations

from kdaudit.measures.borders import Border

CKA = Border(
    "cka",
    "",
    (-1.0, 1.0),
    "high",
    "centred kernel alignment (linear, debiased) of what the two layers give for the same rows; mean and interval by a "
    "jackknife over batches of rows",
    "Kornblith et al. 2019; Song et al. 2012; Nguyen et al. 2021",
    "Computes alike (debiased CKA)",
)
RBF = Border(
    "cka_rbf",
    "",
    (-1.0, 1.0),
    "high",
    "the same with a Gaussian kernel of half the median distance",
    "Kornblith et al. 2019",
    "Computes alike (CKA, Gaussian kernel)",
)
PROCRUSTES = Border(
    "procrustes",
    "",
    (0.0, 1.0),
    "high",
    "nuclear norm of the product of the two, centred and of norm 1: likeness after the best rotation; mean over "
    "batches of rows",
    "Williams et al. 2021",
    "Alike up to a rotation",
)
RSA = Border(
    "rsa",
    "",
    (-1.0, 1.0),
    "high",
    "rank correlation of the two tables of dissimilarities between rows; mean over batches of rows",
    "Kriegeskorte et al. 2008",
    "Rows lie apart alike",
)
NEIGHBOURS = Border(
    "mutual_neighbours",
    "percent",
    (0.0, 1.0),
    "high",
    "share of a row's ten nearest rows that both layers have, by cosine",
    "Huh et al. 2024",
    "The same nearest rows",
)
READOUT = Border(
    "readout",
    "percent",
    (0.0, 1.0),
    "high",
    "share of rows whose level of a field a linear readout of the layer names, five folds; the control are levels "
    "exchanged between rows",
    "Alain and Bengio 2017; Hewitt and Liang 2019",
    "What a linear readout of the layer knows",
)
ALIKE = (CKA, RBF, PROCRUSTES, RSA, NEIGHBOURS, READOUT)
HEADS = Border(
    "attention_likeness",
    "",
    (0.0, 1.0),
    "high",
    "1 minus the Jensen-Shannon divergence (bits) of matched heads, mean over heads and asking tokens; heads are "
    "matched on one half of the texts and scored on the other",
    "Lin 1991; matching by Kuhn 1955",
    "Heads attend alike",
)
HEADS_HELLINGER = Border(
    "attention_hellinger",
    "",
    (0.0, 1.0),
    "high",
    "1 minus the Hellinger distance of the same heads",
    "Hellinger 1909",
    "Heads attend alike (Hellinger)",
)
ROLLOUT = Border(
    "rollout_spearman",
    "",
    (-1.0, 1.0),
    "high",
    "rank correlation over tokens of what reaches the output from each, by multiplying attention through the layers",
    "Abnar and Zuidema 2020 (rollout)",
    "Reads the same tokens (rollout)",
)
FLOW = Border(
    "flow_spearman",
    "",
    (-1.0, 1.0),
    "high",
    "rank correlation over tokens of the greatest flow from each to the output, attention as capacity",
    "Abnar and Zuidema 2020 (flow)",
    "Reads the same tokens (flow)",
)
TOP_TOKENS = Border(
    "top_tokens",
    "percent",
    (0.0, 1.0),
    "high",
    "share of the three tokens that reach the output most which both have",
    "Abnar and Zuidema 2020 (rollout)",
    "The same three tokens",
)
ABLATION = Border(
    "attention_ablation",
    "points",
    (-1.0, 1.0),
    "high",
    "fall of the teacher's score of its own decision when the words (of a picture: patches) that somebody attends to "
    "most are masked",
    "crossed after DeYoung et al. 2020 (comprehensiveness)",
    "What masking what is attended to does to the teacher",
)
ATTEND = (HEADS, HEADS_HELLINGER, ROLLOUT, FLOW, TOP_TOKENS, ABLATION)
