"""Linear regression by plain SGD over a stream, by DESIGN 3.2: python3 linear_sgd.py DATA.csv TARGET BATCH RATE PREDICTIONS.csv.

Every other column is a feature. Moments are found by two passes over all rows so far, not by running updates. Prints how far
the predictions in the file are from those found here, absolute and relative to the prediction.
"""

import csv
import json
import math
import struct
import sys


def moments(values):
    """Mean, and the deviation of the population, 1 where it is 0."""
    mean = math.fsum(values) / len(values)
    variance = math.fsum((value - mean) ** 2 for value in values) / len(values)
    return mean, math.sqrt(variance) or 1.0


def single(value):
    """The nearest single-precision number."""
    return struct.unpack("f", struct.pack("f", value))[0]


def standardized(rows):
    """Each row by the moments of itself and the rows before it."""
    for end in range(1, len(rows) + 1):
        scales = [moments(column) for column in zip(*rows[:end])]
        yield [single((value - mean) / deviation) for value, (mean, deviation) in zip(rows[end - 1], scales)]


def predictions(features, labels, batch, rate):
    weights, bias = [0.0] * len(features[0]), 0.0
    mean, deviation = 0.0, 1.0
    for start in range(0, len(features), batch):
        rows = features[start : start + batch]
        outputs = [math.fsum(w * x for w, x in zip(weights, row)) + bias for row in rows]
        yield from (output * deviation + mean for output in outputs)
        mean, deviation = moments(labels[: start + len(rows)])
        wanted = [(label - mean) / deviation for label in labels[start : start + len(rows)]]
        slopes = [2 * (output - label) / len(rows) for output, label in zip(outputs, wanted)]
        weights = [w - rate * math.fsum(s * row[f] for s, row in zip(slopes, rows)) for f, w in enumerate(weights)]
        bias -= rate * math.fsum(slopes)


def main(data, target, batch, rate, predictions_file):
    with open(data, newline="") as lines:
        table = list(csv.DictReader(lines))
    names = [name for name in table[0] if name != target]
    features = list(standardized([[float(row[name]) for name in names] for row in table]))
    labels = [float(row[target]) for row in table]
    own = list(predictions(features, labels, int(batch), float(rate)))
    with open(predictions_file, newline="") as lines:
        found = [float(row["prediction"]) for row in csv.DictReader(lines)]
    assert len(found) == len(own)
    gaps = [(abs(a - b), abs(a - b) / max(1.0, abs(a))) for a, b in zip(own, found)]
    print(json.dumps({"rows": len(own), "absolute": max(a for a, _ in gaps), "relative": max(r for _, r in gaps)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
