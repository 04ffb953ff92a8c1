"""What a topic of predictions holds: python3 kafka_predictions.py BROKERS FROM TO REGISTRY.

Reads both topics with librdkafka, read-committed, from start to end, and decodes the values of TO by the schema that the
registry (a URL, or a schema file) has for their id, as the Avro specification says. Prints the schema, the records of TO, how many positions of
FROM were predicted more than once and which not at all, and how many keys differ from those at the position they name.
"""

import json
import struct
import sys
import urllib.request

from kafka_ledger import committed_reader, read


def schema_of(registry, schema_id):
    if not registry.startswith("http"):
        with open(registry, encoding="utf-8") as file:
            return json.load(file)
    with urllib.request.urlopen(f"{registry}/schemas/ids/{schema_id}") as answer:
        return json.loads(json.load(answer)["schema"])


class Datum:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        self.at += length
        assert self.at <= len(self.data), "the datum ends early"
        return self.data[self.at - length:self.at]

    def long(self):
        value, shift = 0, 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)

    def read(self, schema):
        if isinstance(schema, list):
            return self.read(schema[self.long()])
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind == "null":
            return None
        if kind in ("int", "long"):
            return self.long()
        if kind == "double":
            return struct.unpack("<d", self.take(8))[0]
        if kind == "string":
            return self.take(self.long()).decode()
        if kind == "map":
            entries = {}
            while (count := self.long()) != 0:
                for _ in range(count):
                    name = self.read("string")
                    entries[name] = self.read(schema["values"])
            return entries
        assert kind == "record", kind
        return {field["name"]: self.read(field["type"]) for field in schema["fields"]}


def decode(value, registry, schemas):
    magic, schema_id = struct.unpack(">bi", value[:5])
    assert magic == 0
    schema = schemas.setdefault(schema_id, None) or schema_of(registry, schema_id)
    schemas[schema_id] = schema
    datum = Datum(value[5:])
    prediction = datum.read(schema)
    assert datum.at == len(datum.data), "bytes are left behind the datum"
    return prediction


def main(brokers, asked, answered, registry):
    consumer = committed_reader(brokers)
    keys = {(message.partition(), message.offset()): message.key() for message in read(consumer, asked, {})}
    predictions, counts, schemas, strangers = [], {}, {}, 0
    for message in read(consumer, answered, {}):
        prediction = decode(message.value(), registry, schemas)
        place = (prediction["partition"], prediction["offset"])
        assert prediction["topic"] == asked
        strangers += place not in keys or keys[place] != message.key()
        counts[place] = counts.get(place, 0) + 1
        predictions.append({"key": message.key() and message.key().hex(), **prediction})
    consumer.close()
    print(json.dumps({
        "schemas": list(schemas.values()),
        "asked": len(keys),
        "predictions": predictions,
        "repeated": sum(count > 1 for count in counts.values()),
        "missing": sorted(place for place in keys if place not in counts),
        "strangers": strangers,
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
