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


def percentile_cases() -> list[dict]:
    """Percentile intervals, and the BCa interval of a paired difference (both sides see one draw)."""
    rng = np.random.RandomState(19)
    cases = []
    for n, resamples in ((5, 999), (12, 2000)):
        a = np.round(1024 * rng.normal(0.2, 0.5, n)) / 1024
        b = np.round(1024 * (a / 2 + rng.normal(0.4, 0.3, n))) / 1024
        common = dict(n_resamples=resamples, confidence_level=0.95)
        mean = stats.bootstrap(
            (b,), np.mean, method="percentile", random_state=np.random.RandomState(SEED), **common
        )
        paired = stats.bootstrap(
            (a, b),
            lambda x, y, axis=-1: np.mean(y, axis=axis) - np.mean(x, axis=axis),
            paired=True,
            vectorized=True,
            method="BCa",
            random_state=np.random.RandomState(SEED),
            **common,
        )
        cases.append(
            dict(
                a=a.tolist(),
                b=b.tolist(),
                resamples=resamples,
                seed=SEED,
                mean=list(map(float, mean.confidence_interval)),
                difference=list(map(float, paired.confidence_interval)),
            )
        )
    return cases


def rank_correlation_cases() -> list[dict]:
    """Rank correlations with ties, and the BCa interval of Spearman's over drawn points."""
    rng = np.random.RandomState(23)
    cases = []
    for n in (12, 25):
        x = np.round(rng.normal(0, 1, n), 1)
        y = np.round(0.6 * x + rng.normal(0, 0.8, n), 1)
        interval = stats.bootstrap(
            (x, y),
            lambda p, q: stats.spearmanr(p, q)[0],
            paired=True,
            vectorized=False,
            method="percentile",
            n_resamples=1500,
            random_state=np.random.RandomState(SEED),
        ).confidence_interval
        cases.append(
            dict(
                x=x.tolist(),
                y=y.tolist(),
                spearman=float(stats.spearmanr(x, y)[0]),
                kendall=float(stats.kendalltau(x, y)[0]),
                resamples=1500,
                seed=SEED,
                interval=list(map(float, interval)),
            )
        )
    return cases


def group_difference_cases() -> list[dict]:
    """Percentile interval of a difference of means: in every replicate first the one group is drawn, then the other."""
    random = np.random.RandomState(29)
    cases = []
    for n1, n2, resamples in ((3, 4, 500), (8, 6, 2000)):
        a = np.round(1024 * random.normal(1.0, 0.6, n1)) / 1024
        b = np.round(1024 * random.normal(0.2, 0.4, n2)) / 1024
        draws = np.random.RandomState(SEED)
        replicates = []
        for _ in range(resamples):
            first = a[draws.randint(0, n1, n1)].mean()
            second = b[draws.randint(0, n2, n2)].mean()
            replicates.append(first - second)
        # SciPy draws all replicates of a group at once: its interval is near, not equal.
        near = stats.bootstrap(
            (a, b),
            lambda x, y, axis=-1: np.mean(x, axis=axis) - np.mean(y, axis=axis),
            vectorized=True,
            method="percentile",
            n_resamples=20000,
            random_state=np.random.RandomState(SEED),
        ).confidence_interval
        cases.append(
            dict(
                a=a.tolist(),
                b=b.tolist(),
                resamples=resamples,
                seed=SEED,
                value=float(a.mean() - b.mean()),
                interval=np.quantile(replicates, [0.025, 0.975]).tolist(),
                scipy_interval=list(map(float, near)),
                # Two-sided p over every labelling, as the engine counts it.
                relabelings=int(special.comb(n1 + n2, n1, exact=True)),
            )
        )
    return cases


def drawn_cases() -> dict:
    """p values over random patterns and labellings, from the same stream of random numbers."""
    rng = np.random.RandomState(31)
    values = rng.normal(0.25, 1.0, 20)
    draws = 3000
    bits = np.random.RandomState(SEED)
    reached = 0
    for _ in range(draws):
        word = int(bits.randint(0, 2**32, dtype=np.uint32))
        signs = np.array([1 if word >> i & 1 else -1 for i in range(len(values))])
        reached += abs(float(np.sum(signs * values))) >= abs(values.sum()) * (1 - 1e-12)
    labels = np.arange(14) < 6
    groups = rng.normal(0, 1, 14) + 0.8 * labels
    observed = groups[labels].mean() - groups[~labels].mean()
    order = np.random.RandomState(SEED)
    crossed = 0
    permutations = 1000
    for _ in range(permutations):
        drawn = labels[order.permutation(14)]
        crossed += abs(groups[drawn].mean() - groups[~drawn].mean()) >= abs(observed) * (1 - 1e-12)
    return dict(
        sign_flip=dict(values=values.tolist(), draws=draws, seed=SEED, p=(reached + 1) / (draws + 1)),
        permutation=dict(
            values=groups.tolist(), group=6, permutations=permutations, seed=SEED, p=(crossed + 1) / (permutations + 1)
        ),
    )


def friedman_permuted_cases() -> list[dict]:
    """Few blocks: p over random orders within each block."""
    rng = np.random.RandomState(37)
    cases = []
    for n, k, slope in ((4, 5, 0.3), (6, 4, 0.9)):
        blocks = rng.normal(0, 1, (n, k)) + slope * np.arange(k)
        statistic = stats.friedmanchisquare(*blocks.T)[0]
        ranks = stats.rankdata(blocks, axis=1)
        observed = float((ranks.sum(axis=0) ** 2).sum())
        order = np.random.RandomState(SEED)
        permutations = 2000
        reached = 0
        for _ in range(permutations):
            shuffled = np.stack([row[order.permutation(k)] for row in ranks])
            reached += float((shuffled.sum(axis=0) ** 2).sum()) >= observed * (1 - 1e-12)
        cases.append(
            dict(
                blocks=blocks.tolist(),
                statistic=float(statistic),
                permutations=permutations,
                seed=SEED,
                p=(reached + 1) / (permutations + 1),
            )
        )
    return cases


def posthoc_case() -> dict:
    """Every pair of treatments by the exact sign-flip test of their differences, adjusted by Holm."""
    rng = np.random.RandomState(41)
    blocks = rng.normal(0, 0.5, (11, 4)) + np.array([0.0, 0.2, 1.5, 1.4])
    pairs = []
    for a in range(4):
        for b in range(a + 1, 4):
            difference = blocks[:, a] - blocks[:, b]
            test = stats.permutation_test(
                (difference,),
                np.sum,
                permutation_type="samples",
                n_resamples=np.inf,
                alternative="two-sided",
                vectorized=True,
            )
            pairs.append(
                dict(
                    a=a,
                    b=b,
                    difference=float(difference.mean()),
                    effect_size=float(difference.mean() / difference.std(ddof=1)),
                    p=float(test.pvalue),
                )
            )
    adjusted = multipletests([row["p"] for row in pairs], method="holm")[1]
    for row, p in zip(pairs, adjusted, strict=True):
        row["p_holm"] = float(p)
    return dict(blocks=blocks.tolist(), pairs=pairs)


def effect_size_cases() -> list[dict]:
    rng = np.random.RandomState(43)
    cases = []
    for n1, n2 in ((4, 5), (15, 12)):
        a, b = np.round(rng.normal(0.6, 1, n1), 1), np.round(rng.normal(0, 1, n2), 1)
        m = n1 - 1
        dz = float(a.mean() / a.std(ddof=1))
        exact = float(np.exp(special.gammaln(m / 2) - special.gammaln((m - 1) / 2)) / np.sqrt(m / 2))
        u = float(stats.mannwhitneyu(a, b).statistic)
        cases.append(
            dict(a=a.tolist(), b=b.tolist(), dz=dz, hedges=dz * exact, cliff=2 * u / (n1 * n2) - 1)
        )
    return cases


def detection_case() -> dict:
    rng = np.random.RandomState(47)
    values = rng.standard_t(3, 60)
    z = stats.zscore(values)  # population SD
    return dict(values=values.tolist(), sd=float(values.std()), sign=np.where(np.abs(z) >= 2, np.sign(z), 0).astype(int).tolist())


def recovery_case() -> dict:
    """Ratio of means and per-pair recoveries in both directions."""
    rng = np.random.RandomState(53)
    clean, corrupted, raw = rng.normal(3, 1, 7), rng.normal(-1, 1, 7), rng.normal(1, 1, 7)
    gap = clean - corrupted
    base = dict(denoising=corrupted, noising=clean)
    return dict(
        clean=clean.tolist(),
        corrupted=corrupted.tolist(),
        raw=raw.tolist(),
        pairs={d: ((raw - b) / gap).tolist() for d, b in base.items()},
        ratio={d: float((raw - b).mean() / abs(gap.mean())) for d, b in base.items()},
    )


def agreement_case() -> dict:
    rng = np.random.RandomState(59)
    exact = rng.normal(0, 1, 18)
    estimated = exact + rng.normal(0, 0.6, 18)
    top = [set(np.argsort(-np.abs(v), kind="stable")[:9].tolist()) for v in (exact, estimated)]
    return dict(
        exact=exact.tolist(),
        estimated=estimated.tolist(),
        spearman=float(stats.spearmanr(estimated, exact)[0]),
        kendall=float(stats.kendalltau(estimated, exact)[0]),
        same_sign=int((np.sign(exact) == np.sign(estimated)).sum()),
        shared=len(top[0] & top[1]),
        largest_error=float(np.abs(exact - estimated).max()),
    )


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
        percentile=percentile_cases(),
        rank_correlation=rank_correlation_cases(),
        group_difference=group_difference_cases(),
        drawn=drawn_cases(),
        friedman_permuted=friedman_permuted_cases(),
        posthoc=posthoc_case(),
        effect_size=effect_size_cases(),
        detection=detection_case(),
        recovery=recovery_case(),
        agreement=agreement_case(),
        localisation=localisation_cases(),
        special=dict(
            quantiles=[[q, float(special.ndtri(q))] for q in (1e-9, 0.0005, 0.025, 0.3, 0.5, 0.6, 0.975, 0.9999)],
            chi_square=[[v, d, float(special.chdtrc(d, v))] for v, d in ((0.5, 1), (3.2, 5), (25.0, 11), (60.0, 11), (9.9, 10))],
        ),
    )
    (HERE / "stats.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
