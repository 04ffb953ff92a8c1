"""The same as kafka_ledger.py of an embedded log without bad records: python3 log_ledger.py LOG TOPIC PARTITIONS."""

import json
import sys

from ledger import ledger
from read_log import records


def main(log, topic, partitions):
    names = {partition: f"{topic}:{partition}" for partition in range(int(partitions))}
    offsets, values = {}, set()
    for partition, name in names.items():
        offsets[name] = []
        for offset, _, _, value in records(log, topic, partition):
            offsets[name].append(offset)
            values.add(value)
    print(json.dumps({
        "ledger": {name: ledger(partition, offsets[name]) for partition, name in names.items() if offsets[name]},
        "count": sum(len(each) for each in offsets.values()),
        "distinct": len(values),
        "ends": {name: len(each) for name, each in offsets.items()},
        "bad": [],
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
