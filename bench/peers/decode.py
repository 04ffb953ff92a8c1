"""Avro records to columns with fastavro: python3 decode.py SCHEMA VALUES COUNT RUNS FIELD…

VALUES holds messages in Confluent framing, each behind its length (4 bytes, little-endian). Every run decodes COUNT of them,
again from the first where there are fewer, and keeps the wanted fields in lists.
"""

import io
import json
import struct
import sys

from fastavro import parse_schema, schemaless_reader

from measured import Clock

HEADER_BYTES = 5


def messages_of(path):
    with open(path, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from("<i", data, at)
        yield data[at + 4 + HEADER_BYTES : at + 4 + length]
        at += 4 + length


def decode(messages, count, schema, fields):
    columns = [[] for _ in fields]
    wanted = [(column.append, field) for column, field in zip(columns, fields)]
    for n in range(count):
        record = schemaless_reader(io.BytesIO(messages[n % len(messages)]), schema)
        for append, field in wanted:
            append(record[field])
    return columns


def main(schema_path, values_path, count, runs, *fields):
    with open(schema_path, encoding="utf8") as file:
        schema = parse_schema(json.load(file))
    messages = list(messages_of(values_path))
    for _ in range(int(runs)):
        clock = Clock()
        decode(messages, int(count), schema, fields)
        clock.tell(int(count))


main(*sys.argv[1:])
