r"""One error budget for all looks at a study, however often it is changed or enlarged.

Adding seeds until a study helps finds help where there is none: nine looks between 3 and 20 seeds
found it in 5.7 % of studies instead of 2.5 %. So every look has a tail of its own, and the tails of
all looks that there may ever be add up to the budget of one:

.. math:: \alpha_1 = \tfrac{3}{4} \alpha, \qquad
          \alpha_k = \tfrac{1}{4} \alpha \left( \tfrac{1}{k - 1} - \tfrac{1}{k} \right)
          \quad (k \geq 2), \qquad \sum_{k=1}^{\infty} \alpha_k = \alpha

This is an alpha-spending function (Lan and DeMets) over the number of looks, with the bound of
Bonferroni instead of the joint distribution of the looks, as in sequences of tests that are valid
at any stopping time (Darling and Robbins). Bonferroni costs little at the first look, and it allows
what a group-sequential boundary does not: the number of looks, the number of seeds in each and the
reason to go on need not be known beforehand, the information may hardly grow (training sets
overlap), and a later look may ask another question, of another arm, control or metric.

References:
    Lan and DeMets, "Discrete Sequential Boundaries for Clinical Trials", Biometrika 70 (1983).
    Darling and Robbins, "Confidence Sequences for Mean, Variance, and Median", PNAS 58 (1967).
    Howard et al., "Time-uniform, Nonparametric, Nonasymptotic Confidence Sequences", Annals of
    Statistics 49 (2021), on stitching such sequences. https://arxiv.org/abs/1810.08240
"""

from monai_gan_aug.statistics.intervals import TAIL

__all__ = ["FIRST_SHARE", "tail_of_look"]

FIRST_SHARE = 0.75


def tail_of_look(look: int, budget: float = TAIL) -> float:
    """The chance of a false word, on either side, that a look may spend.

    Args:
        look: 1 for the first.
        budget: What all looks together may spend.

    Raises:
        ValueError: If there is no such look.

    Example:
        >>> [round(tail_of_look(look), 5) for look in (1, 2, 3)]
        [0.01875, 0.00313, 0.00104]
    """
    if look < 1:
        raise ValueError(f"`look` counts from 1, got {look}.")
    if look == 1:
        return FIRST_SHARE * budget
    return (1 - FIRST_SHARE) * budget / (look * (look - 1))
