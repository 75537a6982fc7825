"""Statistics reference: SciPy, statsmodels and NumPy.

Writes ``stats.json``. Bootstrap draws come from ``RandomState(seed)``, whose stream the engine's own
MT19937 follows, so that the intervals must agree to rounding, not only on average.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import numpy as np
from scipy import special, stats
from statsmodels.stats.multitest import multipletests

HERE = Path(__file__).resolve().parent
SEED = 42


def bca_cases() -> list[dict]:
    rng = np.random.RandomState(7)
    cases = []
    for n, resamples in ((3, 999), (8, 10000), (26, 2000)):
        # Multiples of 1/1024: sums are exact, so that ties of replicates do not hang on their order.
        effects = np.round(1024 * (rng.normal(0.4, 0.5, n) ** 3 + 0.2)) / 1024
        gaps = np.round(1024 * rng.normal(3.0, 1.0, n)) / 1024

        def ratio(e, g, axis=-1):
            return np.mean(e, axis=axis) / np.abs(np.mean(g, axis=axis))

        common = dict(n_resamples=resamples, method="BCa", confidence_level=0.95)
        means = stats.bootstrap((effects,), np.mean, random_state=np.random.RandomState(SEED), **common)
        ratios = stats.bootstrap(
            (effects, gaps), ratio, paired=True, vectorized=True, random_state=np.random.RandomState(SEED), **common
        )
        cases.append(
            dict(
                effects=effects.tolist(),
                gaps=gaps.tolist(),
                resamples=resamples,
                seed=SEED,
                mean=list(map(float, means.confidence_interval)),
                ratio=list(map(float, ratios.confidence_interval)),
            )
        )
    return cases


def sign_flip_cases() -> list[dict]:
    rng = np.random.RandomState(3)
    cases = []
    for n, shift in ((5, 1.5), (8, 0.3), (12, -0.6), (15, 0.0)):
        values = rng.normal(shift, 1.0, n)
        test = stats.permutation_test(
            (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided", vectorized=True
        )
        cases.append(dict(values=values.tolist(), p=float(test.pvalue)))
    return cases


def friedman_cases() -> list[dict]:
    rng = np.random.RandomState(5)
    plain = rng.normal(0, 1, (8, 6)) + np.linspace(0, 1, 6)
    tied = np.round(rng.normal(0, 1, (10, 4)))
    cases = []
    for blocks in (plain, tied):
        statistic, p = stats.friedmanchisquare(*blocks.T)
        cases.append(dict(blocks=blocks.tolist(), statistic=float(statistic), p=float(p)))
    return cases


def permutation_cases() -> list[dict]:
    rng = np.random.RandomState(11)
    cases = []
    for n1, n2, shift in ((4, 5, 1.0), (6, 4, 0.2)):
        a, b = rng.normal(shift, 1, n1), rng.normal(0, 1, n2)
        test = stats.permutation_test(
            (a, b),
            lambda x, y, axis: np.mean(x, axis=axis) - np.mean(y, axis=axis),
            permutation_type="independent",
            n_resamples=np.inf,
            alternative="two-sided",
            vectorized=True,
        )
        # SciPy doubles the smaller tail; the engine counts |statistic| on both sides.
        null = np.abs(test.null_distribution)
        p = float(np.mean(null >= abs(test.statistic) * (1 - 1e-12)))
        cases.append(dict(a=a.tolist(), b=b.tolist(), observed=float(test.statistic), p=p))
    return cases


def localisation_cases() -> list[dict]:
    rng = np.random.RandomState(13)
    cases = []
    for n, k in ((24, 5), (144, 5)):
        values = rng.standard_t(2, n) / 4
        e = np.clip(values, 0, None)
        differences = np.abs(e[:, None] - e[None, :]).mean()
        cases.append(
            dict(
                values=values.tolist(),
                k=k,
                top_share=float(np.sort(e)[::-1][:k].sum() / e.sum()),
                gini=float(differences / (2 * e.mean())),
                participation=float(e.sum() ** 2 / (n * (e**2).sum())),
            )
        )
    return cases


def main() -> None:
    rng = np.random.RandomState(17)
    p = [0.0004, 0.03, 0.03, 0.2, 0.011, 0.9, 0.049, 0.001]
    x = np.round(rng.normal(0, 1, 40), 1)
    y = np.round(0.5 * x + rng.normal(0, 1, 40), 1)
    reference = dict(
        packages={name: importlib.metadata.version(name) for name in ("scipy", "statsmodels", "numpy")},
        bca=bca_cases(),
        sign_flip=sign_flip_cases(),
        correction=dict(
            p=p,
            holm=multipletests(p, method="holm")[1].tolist(),
            benjamini_hochberg=multipletests(p, method="fdr_bh")[1].tolist(),
        ),
        correlation=dict(
            x=x.tolist(),
            y=y.tolist(),
            pearson=float(stats.pearsonr(x, y)[0]),
            spearman=float(stats.spearmanr(x, y)[0]),
            ranks=stats.rankdata(x).tolist(),
        ),
        friedman=friedman_cases(),
        permutation=permutation_cases(),
        localisation=localisation_cases(),
        special=dict(
            quantiles=[[q, float(special.ndtri(q))] for q in (1e-9, 0.0005, 0.025, 0.3, 0.5, 0.6, 0.975, 0.9999)],
            chi_square=[[v, d, float(special.chdtrc(d, v))] for v, d in ((0.5, 1), (3.2, 5), (25.0, 11), (60.0, 11), (9.9, 10))],
        ),
    )
    (HERE / "stats.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
