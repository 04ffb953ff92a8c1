"""What must come of the bundled weather stream: python3 weather.py WEATHER.csv.gz [PREDICTIONS.csv].

By the rules of DESIGN 3.2, horizon 1 h, tolerance 0, as: change, batches aside: a row without a temperature is filtered;
a record labels the row of its airport one hour before; a row whose hour passes without such a record is unlabelled; what
no later record of its airport settles is pending. Offsets are row numbers. With a predictions file, scores too: of the model
from the file, and of the last value from the stream, over the year and over December (of the hour predicted, UTC).
"""

import csv
import datetime
import gzip
import json
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ledger import ledger

HOUR = datetime.timedelta(hours=1)


def read_rows(file):
    with gzip.open(file, "rt", newline="") as lines:
        for offset, row in enumerate(csv.DictReader(lines)):
            time = datetime.datetime.fromisoformat(row["time_hour"].replace("Z", "+00:00"))
            temp = float(row["temp"]) if row["temp"] not in ("", "NA") else None
            yield offset, row["origin"], time, temp


def settle(rows):
    """Labelled rows as {offset: (own target, label, time of the label)}, and the counts of all outcomes."""
    waiting, labelled = {}, {}
    counts = {"read": 0, "trained": 0, "rejected": 0, "filtered": 0, "unlabelled": 0, "pending": 0}
    for offset, origin, time, temp in rows:
        counts["read"] += 1
        pending = waiting.setdefault(origin, {})
        row = pending.pop(time - HOUR, None)
        if row is not None and temp is None:
            counts["unlabelled"] += 1
        elif row is not None:
            labelled[row[0]] = (row[1], temp, time)
        for earlier in [t for t in pending if t + HOUR < time]:
            del pending[earlier]
            counts["unlabelled"] += 1
        if temp is None:
            counts["filtered"] += 1
        else:
            pending[time] = (offset, temp)
    counts["trained"] = len(labelled)
    counts["pending"] = sum(len(pending) for pending in waiting.values())
    return labelled, counts


def mean_absolute(errors):
    errors = list(errors)
    return math.fsum(abs(error) for error in errors) / len(errors)


def scores(labelled, predictions):
    """Mean absolute errors of {offset: prediction} and of the last value, over all rows and over December."""

    def of(wanted):
        rows = [offset for offset in labelled if wanted(labelled[offset][2])]
        return {
            "rows": len(rows),
            "mae": mean_absolute(predictions[offset] - labelled[offset][1] for offset in rows),
            "baseline": mean_absolute(labelled[offset][0] - labelled[offset][1] for offset in rows),
        }

    return {"year": of(lambda time: True), "december": of(lambda time: (time.year, time.month) == (2013, 12))}


def main(weather, predictions_file=None):
    labelled, counts = settle(read_rows(weather))
    document = {"records": counts, "ledger": ledger(0, labelled)}
    if predictions_file is not None:
        with open(predictions_file, newline="") as lines:
            rows = list(csv.DictReader(lines))
        predictions = {int(row["row"]): float(row["prediction"]) for row in rows}
        assert len(predictions) == len(rows), "a row was scored twice"
        assert predictions.keys() == labelled.keys(), "scored rows differ from labelled ones"
        assert all(float(row["target"]) == labelled[int(row["row"])][1] for row in rows), "a target differs"
        document |= scores(labelled, predictions)
    print(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
