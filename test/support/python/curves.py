"""Reads a folder of curves as TensorBoard does.

curves.py DIR: prints the points of each curve, [step, value] by run and tag.
"""

import json
import sys

from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

runs = EventMultiplexer().AddRunsFromDirectory(sys.argv[1]).Reload()
print(
    json.dumps(
        {
            run: {tag: [[point.step, point.value] for point in runs.Scalars(run, tag)] for tag in kinds["scalars"]}
            for run, kinds in runs.Runs().items()
        }
    )
)
