"""Reads a partition of a log in Kafka's on-disk format, uncompressed record batches v2, knowing nothing of Millrace."""

import glob
import os
import struct

HEADER = struct.Struct(">qiibIhiqqqhii")


def varint(data, at):
    """A zigzag varint and where it ends."""
    shift = value = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def sized(data, at):
    """Bytes behind their length, None for a length of -1, and where they end."""
    length, at = varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)


def records(directory, topic, partition):
    """(offset, timestamp, key, value) of every record; an AssertionError where offsets have a gap."""
    next_offset = 0
    for segment in sorted(glob.glob(os.path.join(directory, f"{topic}-{partition}", "*.log"))):
        with open(segment, "rb") as file:
            data = file.read()
        assert int(os.path.basename(segment)[:-4]) == next_offset, f"{segment} does not go on at {next_offset}"
        start = 0
        while start < len(data):
            base, length, _, magic, _, attributes, last, first_ms, _, _, _, _, count = HEADER.unpack_from(data, start)
            assert magic == 2 and attributes & 0x27 == 0, "only plain record batches v2 are read here"
            assert base == next_offset and last == count - 1, f"a gap at {next_offset}"
            at = start + HEADER.size
            for index in range(count):
                _, at = varint(data, at)
                at += 1
                since_ms, at = varint(data, at)
                delta, at = varint(data, at)
                key, at = sized(data, at)
                value, at = sized(data, at)
                headers, at = varint(data, at)
                assert delta == index and headers == 0
                yield base + delta, first_ms + since_ms, key, value
            start += 12 + length
            assert at == start, f"a record batch of {segment} is longer than its records"
            next_offset = base + count
