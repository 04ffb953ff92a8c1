"""The job of the bench in Python: python3 pipeline.py BROKERS TOPIC COUNT SCHEMA LEARNER BATCH_ROWS

confluent-kafka reads batches of messages, fastavro decodes them, numpy derives lags by sensor and standardizes by running
moments, and a learner (learners.py) predicts each batch and learns it. The clock starts when partitions are assigned.
"""

import io
import json
import os
import sys

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition
from fastavro import parse_schema, schemaless_reader

from measured import Clock

HEADER_BYTES = 5
PLAIN = ("temperature", "humidity", "pressure", "vibration", "load")
LAGS = 3
TIMEOUT_S = 30


class RunningMoments:
    """Mean and variance of each column over all rows so far (Chan et al., merged by batch)."""

    def __init__(self, columns):
        self.count = 0
        self.mean = np.zeros(columns)
        self.m2 = np.zeros(columns)

    def standardize(self, rows):
        count = len(rows)
        mean = rows.mean(axis=0)
        delta = mean - self.mean
        total = self.count + count
        self.m2 += ((rows - mean) ** 2).sum(axis=0) + delta**2 * (self.count * count / total)
        self.mean += delta * (count / total)
        self.count = total
        deviation = np.sqrt(self.m2 / total)
        return ((rows - self.mean) / np.where(deviation > 0, deviation, 1)).astype(np.float32)


class Rows:
    """Features and targets of one batch, filled record by record."""

    def __init__(self, batch_rows):
        self.features = np.empty((batch_rows, len(PLAIN) + LAGS))
        self.targets = np.empty((batch_rows, 1))
        self.count = 0

    def add(self, record, lags):
        row = self.features[self.count]
        for n, field in enumerate(PLAIN):
            row[n] = record[field]
        row[len(PLAIN) :] = lags
        self.targets[self.count] = record["power"]
        self.count += 1


def main(brokers, topic, count, schema_path, learner_name, batch_rows):
    from learners import learner

    count = int(count)
    batch_rows = int(batch_rows)
    with open(schema_path, encoding="utf8") as file:
        schema = parse_schema(json.load(file))
    step = learner(learner_name, [len(PLAIN) + LAGS, 64, 64, 1])
    step(np.zeros((batch_rows, len(PLAIN) + LAGS), np.float32), np.zeros((batch_rows, 1), np.float32))
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "group.id": "peer",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    })
    partitions = consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions
    clock = Clock()
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    lags_of = {}
    moments = RunningMoments(len(PLAIN) + LAGS)
    target_moments = RunningMoments(1)
    absolute_error = 0.0
    rows = Rows(batch_rows)
    seen = 0
    while seen < count:
        messages = consumer.consume(batch_rows, timeout=TIMEOUT_S)
        assert messages, f"nothing came for {TIMEOUT_S} s"
        for message in messages:
            assert message.error() is None, message.error()
            record = schemaless_reader(io.BytesIO(message.value()[HEADER_BYTES:]), schema)
            lags = lags_of.get(record["sensorId"], [0.0] * LAGS)
            rows.add(record, lags)
            lags_of[record["sensorId"]] = [record["power"], *lags[:-1]]
            seen += 1
            if rows.count == batch_rows or seen == count:
                features = moments.standardize(rows.features[: rows.count])
                labels = target_moments.standardize(rows.targets[: rows.count])
                absolute_error += float(np.abs(step(features, labels) - labels).sum())
                rows.count = 0
    clock.tell(count)
    consumer.close()
    print(f"mean absolute error {absolute_error / count:.4f} standard deviations", file=sys.stderr)


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
main(*sys.argv[1:])
