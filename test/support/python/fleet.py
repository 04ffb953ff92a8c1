"""What must come of a simulated fleet in a log: python3 fleet.py LOG TOPIC PARTITION HORIZON_MS.

Reads the log with a reader of its own, decodes the readings, and prints outcomes and ledger by the rules of DESIGN 3.2.
"""

import json
import struct
import sys

from labels import settle
from ledger import ledger
from read_log import records, sized, varint


def reading(value):
    """(sensor, time, power) of a value in Confluent framing with schema 1; None where it is anything else."""
    if value is None or len(value) < 5 or value[:5] != b"\0\0\0\0\1":
        return None
    try:
        sensor, at = sized(value, 5)
        _, at = varint(value, at)
        time, at = varint(value, at)
        _, at = sized(value, at)
        *_, power = struct.unpack_from("<6d", value, at)
    except (IndexError, struct.error):
        return None
    return (sensor, time, power) if at + 48 == len(value) else None


def main(log, topic, partition, horizon_ms):
    rows, rejected, read = [], [], 0
    for offset, _, _, value in records(log, topic, int(partition)):
        read += 1
        found = reading(value)
        if found is None:
            rejected.append(offset)
        else:
            rows.append((offset, *found))
    labelled, counts = settle(rows, int(horizon_ms), read=len(rejected), rejected=len(rejected))
    document = {"nextOffset": read, "rejected": rejected, "records": counts, "ledger": ledger(int(partition), labelled)}
    print(json.dumps(document))


if __name__ == "__main__":
    main(*sys.argv[1:])
