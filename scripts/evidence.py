"""Computes the figures of the second edition again, from the published files alone and with SciPy: compute multipliers, standard
errors by bootstrap, p-values, Holm, verdicts, trends. Written apart from the lab's own code, after docs/method.md.
Usage: pip install numpy scipy; python3 scripts/evidence.py [docs/evidence/PRESET.json ...] > figures.json
"""

import base64
import glob
import json
import os
import sys

import numpy as np
from scipy import optimize, stats

RESAMPLES = int(os.environ.get("RESAMPLES", "2000"))
QUESTIONS = [
    ("swiglu", "swish"),
    ("swiglu", "glu"),
    ("swigluBlend-trained", "selfGlu"),
    ("swigluBlend-trained", "swish-trained"),
]
PARTS = ["validation", "test"]


def parabola(rates, means):
    """The best rate, the parabola's coefficients (highest first) about it or None, and the rates it is laid through."""
    best = int(np.argmin(means))
    low = high = best
    while best - low < 2 and low > 0 and np.isfinite(means[low - 1]):
        low -= 1
    while high - best < 2 and high < len(rates) - 1 and np.isfinite(means[high + 1]):
        high += 1
    if low == best or high == best:
        return rates[best], None, None
    x = np.log(np.array(rates[low : high + 1]) / rates[best])
    fit = np.polyfit(x, means[low : high + 1], 2)
    return (rates[best], fit, (x, low, high)) if fit[0] > 0 else (rates[best], None, None)


def minimum(centre, fit):
    if fit is None:
        return centre
    limit = np.log(2) / 2
    return centre * np.exp(np.clip(-fit[1] / (2 * fit[0]), -limit, limit))


def rounded(rate):
    return float(f"{rate:.3g}")


def anova_p(table):
    """Two-way analysis of variance without replication: blocks in rows, variants in columns."""
    b, v = table.shape
    rows, columns, mean = table.mean(1, keepdims=True), table.mean(0, keepdims=True), table.mean()
    residual = ((table - rows - columns + mean) ** 2).sum() / ((b - 1) * (v - 1))
    variants = b * ((columns - mean) ** 2).sum() / (v - 1)
    if residual == 0:
        return 0.0 if variants > 0 else 1.0
    return float(stats.f.sf(variants / residual, v - 1, (b - 1) * (v - 1)))


def choose(rates, losses):
    """losses: variant, rate, seed."""
    fits = [parabola(rates, own.mean(1)) for own in losses]
    own = [rounded(minimum(centre, fit)) for centre, fit, _ in fits]
    p = None
    if all(fit is not None for _, fit, _ in fits) and len(losses) > 1 and losses.shape[2] > 1:
        minima = []
        for values, (centre, fit, (x, low, high)) in zip(losses, fits):
            slopes = np.polyfit(x, values[low : high + 1], 2)[1]
            minima.append(np.log(centre) - slopes / (2 * fit[0]))
        p = anova_p(np.array(minima).T)
    if p is None or p < 0.05:
        return own, own, None, p, fits
    centre, fit, _ = parabola(rates, losses.mean(2).mean(0))
    common = rounded(minimum(centre, fit))
    return [common] * len(own), own, common, p, fits


def cost(rates, values, fit, rate):
    centre, coefficients, _ = fit
    if coefficients is not None:
        return float(np.polyval(coefficients, np.log(rate / centre)))
    return float(np.interp(np.log(rate), np.log(rates), values.mean(1)))


def reach(steps, losses, wanted):
    """Logarithm of the steps after which a falling curve has a loss, at most twice beyond its ends."""
    y = optimize.isotonic_regression(losses, increasing=False).x
    x = np.log(steps)
    if wanted > y[0] or wanted < y[-1]:
        i, j, end, sign = (0, 1, 0, -1) if wanted > y[0] else (-2, -1, -1, 1)
        slope = (y[j] - y[i]) / (x[j] - x[i])
        distance = sign * np.log(2) if slope == 0 else (wanted - y[end]) / slope
        if abs(distance) >= np.log(2):
            return x[end] + sign * np.log(2), "more" if sign > 0 else "fewer"
        return x[end] + distance, None
    after = max(1, int(np.argmax(y <= wanted)))
    a, b = after - 1, after
    share = 0 if y[a] == y[b] else (y[a] - wanted) / (y[a] - y[b])
    return x[a] + share * (x[b] - x[a]), None


def judge(value, draws, n):
    error = float(np.std(draws, ddof=1) * np.sqrt(n / (n - 1)))
    half = stats.t.ppf(0.975, n - 1) * error
    p = (1.0 if value == 0 else 0.0) if error == 0 else float(2 * stats.t.sf(abs(value) / error, n - 1))
    return {"value": float(value), "standardError": error, "low": float(value - half), "high": float(value + half), "p": p}


def holm(p):
    order, adjusted, largest = np.argsort(p, kind="stable"), [0.0] * len(p), 0.0
    for i, index in enumerate(order):
        largest = max(largest, min(1.0, p[index] * (len(p) - i)))
        adjusted[index] = largest
    return adjusted


def read(study, width):
    cells, weights = [], {part: np.array(study["weights"][part], float) for part in PARTS}
    for cell in study["cells"]:
        if cell["width"] != width:
            continue
        runs = {(run["variant"], run["seed"]): run for run in cell["runs"]}
        seeds = [s for s in dict.fromkeys(run["seed"] for run in cell["runs"]) if all((v, s) in runs for v in study["variants"])]
        finished = [run for run in cell["runs"] if run["test"] is not None]
        sums = {}
        for part in PARTS:
            worst = max(finished, key=lambda run: run[part]["loss"])

            def groups(run, part=part, worst=worst):
                run = worst if run["test"] is None else run
                text = run[f"{part}Groups"]
                if text == "":
                    return weights[part] * run[part]["loss"]
                return np.frombuffer(base64.b64decode(text), "<f4").astype(float)

            sums[part] = np.array([[groups(runs[v, s]) for s in seeds] for v in study["variants"]])
        cells.append({**cell, "seeds": seeds, "sums": sums})
    return cells, weights


def analyse(study, width, generator):
    cells, weights = read(study, width)
    if not cells:
        return None
    variants, steps = study["variants"], [cell["steps"] for cell in cells]
    tunings = []
    for tuning in study["tuning"]:
        if tuning["width"] != width:
            continue
        losses = np.array([[[np.inf if x is None else x for x in row] for row in v["losses"]] for v in tuning["variants"]])
        tunings.append({**tuning, "array": losses, "choice": choose(tuning["rates"], losses)})
    of = [next((i for i, t in enumerate(tunings) if t["length"] == cell["tunedAt"]), None) for cell in cells]
    pairs = [q for q in QUESTIONS if all(name in variants for name in q)]

    def statistics(means):
        out = {}
        for part in PARTS:
            for a, b in pairs:
                subject, rival = means[part][:, variants.index(a)], means[part][:, variants.index(b)]
                reached = [reach(steps, rival, loss) if len(steps) > 1 else (np.nan, None) for loss in subject]
                out[part, a, b] = (subject - rival, np.array([r[0] for r in reached]) - np.log(steps), [r[1] for r in reached])
        return out

    whole = {part: np.array([cell["sums"][part].sum(2).mean(1) / weights[part].sum() for cell in cells]) for part in PARTS}
    estimate, draws = statistics(whole), []
    for _ in range(RESAMPLES):
        drawn = {}

        def seeds(names, drawn=drawn):
            key = tuple(names)
            if key not in drawn:
                drawn[key] = generator.integers(0, len(names), len(names))
            return drawn[key]

        costs = []
        for tuning in tunings:
            other = choose(tuning["rates"], tuning["array"][:, :, seeds(tuning["seeds"])])[0]
            used, fits = tuning["choice"][0], tuning["choice"][4]
            costs.append(
                [
                    0.0 if o == u else cost(tuning["rates"], values, fit, o) - cost(tuning["rates"], values, fit, u)
                    for o, u, values, fit in zip(other, used, tuning["array"], fits)
                ]
            )
        means = {}
        for part in PARTS:
            groups = generator.integers(0, len(weights[part]), len(weights[part]))
            counts = np.bincount(groups, minlength=len(weights[part]))
            means[part] = np.array(
                [
                    (cell["sums"][part][:, seeds(cell["seeds"])] @ counts).mean(1) / (counts @ weights[part])
                    + (0 if of[l] is None else np.array(costs[of[l]]))
                    for l, cell in enumerate(cells)
                ]
            )
        draws.append(statistics(means))
    lengths = [cell["length"] for cell in cells]
    at = study["lengths"][-2] if len(study["lengths"]) > 1 else study["lengths"][0]
    answers = []
    for a, b in pairs:
        rows = []
        for l, cell in enumerate(cells):
            n = len(cell["seeds"])
            row = {"length": cell["length"], "steps": cell["steps"]}
            for part in PARTS:
                row[part] = {
                    "difference": judge(estimate[part, a, b][0][l], [d[part, a, b][0][l] for d in draws], n),
                    "multiplier": judge(estimate[part, a, b][1][l], [d[part, a, b][1][l] for d in draws], n),
                    "bound": estimate[part, a, b][2][l],
                }
            rows.append(row)
        answers.append({"subject": a, "rival": b, "lengths": rows})
    if at in lengths and len(lengths) > 1:
        l = lengths.index(at)
        for part in PARTS:
            for answer, p in zip(answers, holm([x["lengths"][l][part]["multiplier"]["p"] for x in answers])):
                answer.setdefault("adjustedP", {})[part] = p
    return {
        "width": width,
        "parameters": cells[0]["parameters"],
        "rates": [{"length": t["length"], "rates": t["choice"][0], "own": t["choice"][1], "common": t["choice"][2], "p": t["choice"][3]} for t in tunings],
        "answers": answers,
        "logMultiplierDraws": {f"{part} {a} {b}": [d[part, a, b][1][lengths.index(at)] for d in draws] for part in PARTS for a, b in pairs}
        if at in lengths
        else {},
    }


def main():
    names = sys.argv[1:] or sorted(glob.glob(os.path.join(os.path.dirname(__file__), "..", "docs", "evidence", "*.json")))
    out = {}
    for name in names:
        with open(name, encoding="utf8") as file:
            study = json.load(file)
        if study.get("edition") != 2:
            continue
        # The same draws for every width: they share seeds and test examples.
        widths = [w for w in (analyse(study, width, np.random.default_rng(1)) for width in study["widths"]) if w]
        slopes = []
        if len(widths) > 1:
            x = np.log([w["parameters"] for w in widths])
            n = min(len(set(run["seed"] for run in cell["runs"])) for cell in study["cells"])
            for answer in widths[0]["answers"]:
                a, b = answer["subject"], answer["rival"]
                slope = {}
                for part in PARTS:
                    key = f"{part} {a} {b}"
                    at = study["lengths"][-2]
                    point = [
                        next(r for q in w["answers"] if (q["subject"], q["rival"]) == (a, b) for r in q["lengths"] if r["length"] == at)
                        for w in widths
                    ]
                    values = [r[part]["multiplier"]["value"] for r in point]
                    drawn = np.polyfit(x, np.array([w["logMultiplierDraws"][key] for w in widths]), 1)[0]
                    slope[part] = judge(np.polyfit(x, values, 1)[0], drawn, n)
                slopes.append({"subject": a, "rival": b, **slope})
        for width in widths:
            del width["logMultiplierDraws"]
        out[os.path.basename(name)] = {"widths": widths, "slopes": slopes}
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
