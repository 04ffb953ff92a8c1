"""Copies a topic of one partition under every codec, in transactions: python3 kafka_copy.py BROKERS FROM TO.

Each codec writes its share of the records in a transaction that it commits, and part of them once more in one that it
aborts: so the copy holds each record once for whoever reads what is committed, and ends in a control record.
"""

import json
import sys

from confluent_kafka import Producer

from kafka_ledger import TIMEOUT_S, committed_reader, read

CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def send(brokers, topic, codec, transactions):
    """Writes in (messages, is_committed) transactions, compressed by `codec`."""
    producer = Producer({
        "bootstrap.servers": brokers,
        "transactional.id": f"copy-{topic}-{codec}",
        "compression.type": codec,
        "linger.ms": 50,
    })
    producer.init_transactions(TIMEOUT_S)
    for messages, is_committed in transactions:
        producer.begin_transaction()
        for message in messages:
            producer.produce(topic, message.value(), message.key(), timestamp=message.timestamp()[1])
        producer.flush(TIMEOUT_S)
        if is_committed:
            producer.commit_transaction(TIMEOUT_S)
        else:
            producer.abort_transaction(TIMEOUT_S)


def main(brokers, source, target):
    consumer = committed_reader(brokers)
    messages = list(read(consumer, source, {}))
    consumer.close()
    share = -(-len(messages) // len(CODECS))
    aborted = 0
    for index, codec in enumerate(CODECS):
        mine = messages[index * share : (index + 1) * share]
        half = mine[: len(mine) // 2]
        send(brokers, target, codec, [(half, True), (half, False), (mine[len(half) :], True), (mine[:1], False)])
        aborted += len(half) + 1
    print(json.dumps({"copied": len(messages), "aborted": aborted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
