"""How much every test patient moves a metric: what the variance over patients is made of."""

import numpy as np
from numpy.typing import NDArray

from monai_gan_aug.metrics.weighted import weighted_metric

__all__ = ["patient_influence", "share_ranked_below"]

Array = NDArray[np.float64]
Places = NDArray[np.int64]


def patient_influence(
    name: str,
    labels: Places,
    probabilities: Array,
    units: Places,
    strata: Places,
    *,
    positive: int = 1,
) -> tuple[float, Array]:
    r"""A metric of one test set, and what every patient adds to its error.

    To first order the error of a metric is a sum over patients, :math:`\sum_i q_i`. Patients are
    drawn class by class, so the :math:`q_i` of a stratum are centred, and its :math:`n` patients
    are scaled by :math:`\sqrt{n / (n - 1)}`: the sum of squares is then an unbiased estimate of
    the variance. Sums of products between test sets, or between arms, are covariances.

    The area under the ROC curve has its influences in closed form (the placements of DeLong,
    added up over the images of a patient as Obuchowski does). Every other metric is computed
    without each patient in turn (the jackknife, stratified).

    Args:
        name: A key of :data:`~monai_gan_aug.metrics.weighted.METRICS`.
        labels: Shape ``(N,)``, in ``[0, K)``.
        probabilities: Shape ``(N, K)``, rows sum to 1.
        units: Patient of every row, or block of patients, in ``[0, U)``, shape ``(N,)``.
        strata: Stratum of every unit, shape ``(U,)``; at least two units of each that occurs.
        positive: The class that counts as disease when there are two.

    Returns:
        The metric, and shape ``(U,)``: 0 for patients who are not in this test set.

    References:
        DeLong et al., Biometrics 44 (1988). Obuchowski, "Nonparametric Analysis of Clustered ROC
        Curve Data", Biometrics 53 (1997). Efron and Stein, "The Jackknife Estimate of Variance",
        Annals of Statistics 9 (1981).

    Example:
        >>> labels, scores = np.array([0, 0, 1, 1]), np.array([0.1, 0.6, 0.4, 0.9])
        >>> rows = np.stack([1 - scores, scores], axis=1)
        >>> value, influence = patient_influence("auc", labels, rows, np.arange(4), labels)
        >>> value, influence.round(3).tolist()
        (0.75, [0.177, -0.177, -0.177, 0.177])
    """
    if name == "auc":
        value, raw = _area(labels, probabilities, units, len(strata), positive)
    else:
        value, raw = _left_out(name, labels, probabilities, units, strata, positive)
    return value, _centred(raw, np.unique(units), strata)


def _centred(raw: Array, present: Places, strata: Places) -> Array:
    """Influences with mean 0 in every stratum, scaled for the mean that was taken off."""
    where, kinds = strata[present], int(strata.max()) + 1
    counts = np.bincount(where, minlength=kinds)
    sums = np.bincount(where, raw[present], minlength=kinds)
    means = sums / np.maximum(counts, 1)
    factors = np.sqrt(counts / np.maximum(counts - 1, 1))
    influence = np.zeros(len(strata))
    influence[present] = (raw[present] - means[where]) * factors[where]
    return influence


def _area(
    labels: Places, probabilities: Array, units: Places, count: int, positive: int
) -> tuple[float, Array]:
    """The (mean one-against-the-rest) area under the curve, and its derivative by patient."""
    classes = probabilities.shape[1]
    kinds = [positive] if classes == 2 else list(range(classes))
    values, slopes = [], np.zeros(len(labels))
    for kind in kinds:
        ill, scores = labels == kind, probabilities[:, kind]
        above = share_ranked_below(scores[ill], scores[~ill])
        area = float(above.mean())
        below = 1 - share_ranked_below(scores[~ill], scores[ill])
        slopes[ill] += (above - area) / len(above)
        slopes[~ill] += (below - area) / len(below)
        values.append(area)
    slopes /= len(kinds)
    moves = np.bincount(units, slopes, minlength=count).astype(np.float64)
    return float(np.mean(values)), moves


def share_ranked_below(values: Array, others: Array) -> Array:
    """Share of ``others`` below each of ``values``, equal ones counted half.

    Example:
        >>> share_ranked_below(np.array([0.5, 2.0]), np.array([0.0, 0.5, 1.0, 1.5]))
        array([0.375, 1.   ])
    """
    ranked = np.sort(others)
    places = np.searchsorted(ranked, values, "left") + np.searchsorted(ranked, values, "right")
    shares: Array = places / (2 * len(ranked))
    return shares


def _left_out(
    name: str,
    labels: Places,
    probabilities: Array,
    units: Places,
    strata: Places,
    positive: int,
    weights_at_once: int = 200_000,
) -> tuple[float, Array]:
    """The metric, and how far it falls without each patient, times ``(n - 1) / n``."""
    present = np.unique(units)
    rows = labels, probabilities
    value = weighted_metric(name, *rows, np.ones((1, len(labels))), positive=positive)[0]
    step = max(1, weights_at_once // len(labels))
    blocks = [
        weighted_metric(
            name,
            *rows,
            (units[None] != present[start : start + step, None]).astype(np.float64),
            positive=positive,
        )
        for start in range(0, len(present), step)
    ]
    counts = np.bincount(strata[present], minlength=int(strata.max()) + 1)[strata[present]]
    raw = np.zeros(len(strata))
    raw[present] = (value - np.concatenate(blocks)) * (counts - 1) / counts
    return float(value), raw
