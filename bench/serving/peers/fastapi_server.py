"""A model of the same shape behind FastAPI, on uvicorn with its parser and loop in C: what a Python team would write.

Prints its port. Answers the same fields; learns nothing and keeps no state by key.
"""

import socket

import numpy
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Reading(BaseModel):
    sensorId: str
    temperature: float
    load: float
    vibration: float
    site: str


random = numpy.random.default_rng(5)
sites = {"north": 0, "south": 1, "east": 2, "west": 3}
mean, scale = random.normal(size=9), random.uniform(1, 2, size=9)
widths = [9, 64, 64, 1]
layers = [
    (random.normal(size=(inputs, outputs)).astype(numpy.float32), numpy.zeros(outputs, numpy.float32))
    for inputs, outputs in zip(widths, widths[1:])
]
origin = {
    "modelVersion": "checkpoint-000000000001",
    "step": 40000,
    "trainedThrough": {"time": "2026-01-01T00:00:00.000Z", "positions": {"readings:0": 10000000}},
}
app = FastAPI()


@app.post("/v1/predict")
async def predict(reading: Reading) -> dict:
    row = numpy.zeros(9)
    row[:3] = reading.temperature, reading.load, reading.vibration
    row[3 + sites.get(reading.site, 4)] = 1
    signal = ((row - mean) / scale).astype(numpy.float32)
    for kernel, bias in layers[:-1]:
        signal = numpy.maximum(signal @ kernel + bias, 0)
    kernel, bias = layers[-1]
    return {"prediction": float((signal @ kernel + bias)[0]), **origin}


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", log_level="warning", access_log=False)
uvicorn.Server(config).run(sockets=[listener])
