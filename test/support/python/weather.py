"""What must come of the bundled weather stream: python3 weather.py WEATHER.csv.gz [PREDICTIONS.csv].

The horizon is one hour, the target the change; offsets are row numbers. With a predictions file, scores too: of the model
from the file, and of the last value from the stream, over the year and over December (of the hour predicted, UTC).
"""

import csv
import datetime
import gzip
import json
import math
import sys

from labels import settle
from ledger import ledger

HOUR = datetime.timedelta(hours=1)


def read_rows(file):
    with gzip.open(file, "rt", newline="") as lines:
        for offset, row in enumerate(csv.DictReader(lines)):
            time = datetime.datetime.fromisoformat(row["time_hour"].replace("Z", "+00:00"))
            temp = float(row["temp"]) if row["temp"] not in ("", "NA") else None
            yield offset, row["origin"], time, temp


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
    labelled, counts = settle(read_rows(weather), HOUR)
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
