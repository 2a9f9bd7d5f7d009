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
