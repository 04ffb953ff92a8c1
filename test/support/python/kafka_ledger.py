"""What a pipeline must learn of a Kafka topic: python3 kafka_ledger.py BROKERS TOPIC.

Reads every partition with librdkafka, read-committed, from its start to its end. A record with a header `poison` cannot be
used, for the reason in that header. Of all others it prints the ledger of each partition and how many values differ; the
end of each partition, that is where reading would go on; and of the bad ones [partition, offset, reason], sorted.
"""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from ledger import ledger

TIMEOUT_S = 30


def committed_reader(brokers):
    return Consumer({
        "bootstrap.servers": brokers,
        "group.id": "judge",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
    })


def read(consumer, topic, ends):
    """Yields the committed records of all partitions, and puts the end of each partition into `ends`."""
    partitions = sorted(consumer.list_topics(topic, timeout=TIMEOUT_S).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    heard = time.monotonic()
    while len(ends) < len(partitions):
        messages = consumer.consume(10_000, timeout=0.1)
        heard = time.monotonic() if messages else heard
        assert time.monotonic() < heard + TIMEOUT_S, f"nothing came for {TIMEOUT_S} s"
        for message in messages:
            if message.error() is None:
                yield message
            elif message.error().code() == KafkaError._PARTITION_EOF:
                ends[message.partition()] = message.offset()
            else:
                raise KafkaException(message.error())


def main(brokers, topic):
    consumer = committed_reader(brokers)
    ends, offsets, values, bad = {}, {}, set(), []
    for message in read(consumer, topic, ends):
        reasons = [value.decode() for key, value in message.headers() or [] if key == "poison"]
        if reasons:
            bad.append([message.partition(), message.offset(), *reasons])
        else:
            offsets.setdefault(message.partition(), []).append(message.offset())
            values.add(message.value())
    consumer.close()
    print(json.dumps({
        "ledger": {f"{topic}:{partition}": ledger(partition, offsets[partition]) for partition in sorted(offsets)},
        "count": sum(len(each) for each in offsets.values()),
        "distinct": len(values),
        "ends": {f"{topic}:{partition}": ends[partition] for partition in sorted(ends)},
        "bad": sorted(bad),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
