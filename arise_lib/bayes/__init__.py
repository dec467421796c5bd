"""Bayesian prediction by dropout: passes, their mean, their disagreement (paper, Methods)."""

from arise_lib.bayes._passes import dropout_masks
from arise_lib.bayes._sums import entropy
from arise_lib.bayes.every_pass import every_pass
from arise_lib.bayes.inference import (
    MIN_PASSES,
    MIN_STRATIFIED,
    N_PASSES,
    STRATIFIED_ERROR,
    Posterior,
    check_passes,
    predict,
    representations,
)
from arise_lib.bayes.novelty import fit_novelty, novelty_of

__all__ = [
    "MIN_PASSES",
    "MIN_STRATIFIED",
    "N_PASSES",
    "STRATIFIED_ERROR",
    "Posterior",
    "check_passes",
    "dropout_masks",
    "entropy",
    "every_pass",
    "fit_novelty",
    "novelty_of",
    "predict",
    "representations",
]
