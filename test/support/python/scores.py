"""Scores of a predictions file, from their definitions: python3 scores.py PREDICTIONS.csv.

Regression: mae, rmse, r2. Classification, where there are p:CLASS columns: accuracy, logLoss (nats, probabilities clipped at
1e-15), macroF1 over the classes that were labelled or predicted, and Cohen's kappa.
"""

import csv
import json
import math
import sys


def regression(rows):
    predictions = [float(row["prediction"]) for row in rows]
    targets = [float(row["target"]) for row in rows]
    count = len(rows)
    errors = [target - prediction for target, prediction in zip(targets, predictions)]
    squares = math.fsum(error * error for error in errors)
    mean = math.fsum(targets) / count
    spread = math.fsum((target - mean) ** 2 for target in targets)
    return {
        "mae": math.fsum(abs(error) for error in errors) / count,
        "rmse": math.sqrt(squares / count),
        "r2": 1 - squares / spread,
    }


def classification(rows, classes):
    predictions = [row["prediction"] for row in rows]
    targets = [row["target"] for row in rows]
    count = len(rows)
    for row in rows:
        likeliest = max(classes, key=lambda name: float(row[f"p:{name}"]))
        probability = float(row[f"p:{likeliest}"])
        assert row["prediction"] == (likeliest if probability > 0 else ""), f"row {row['row']} is not the likeliest class"
        total = math.fsum(float(row[f"p:{name}"]) for name in classes)
        assert total == 0 or abs(total - 1) < 1e-6, f"probabilities of row {row['row']} add up to {total}"
    f1, chance = [], 0
    for name in classes:
        labelled, predicted = targets.count(name), predictions.count(name)
        chance += labelled * predicted / count**2
        if labelled + predicted > 0:
            hits = sum(target == prediction == name for target, prediction in zip(targets, predictions))
            f1.append(2 * hits / (labelled + predicted))
    accuracy = sum(target == prediction for target, prediction in zip(targets, predictions)) / count
    return {
        "accuracy": accuracy,
        "logLoss": -math.fsum(math.log(max(1e-15, float(row[f"p:{row['target']}"]))) for row in rows) / count,
        "macroF1": sum(f1) / len(f1),
        "kappa": (accuracy - chance) / (1 - chance),
    }


def main(file):
    with open(file, newline="") as lines:
        rows = list(csv.DictReader(lines))
    classes = [name[2:] for name in rows[0] if name.startswith("p:")]
    metrics = classification(rows, classes) if classes else regression(rows)
    print(json.dumps({"rows": len(rows), "metrics": metrics}))


if __name__ == "__main__":
    main(*sys.argv[1:])
