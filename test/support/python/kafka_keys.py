"""Keys of the committed records of a topic, in hexadecimal, as a JSON list: python3 kafka_keys.py BROKERS TOPIC."""

import json
import sys

from kafka_ledger import committed_reader, read

if __name__ == "__main__":
    consumer = committed_reader(sys.argv[1])
    print(json.dumps([message.key().hex() for message in read(consumer, sys.argv[2], {})]))
    consumer.close()
