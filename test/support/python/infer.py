"""Uses a running Millrace as any client of the Open Inference Protocol would, through Triton's own client.

infer.py HOST:PORT MODEL ROWS, where ROWS is a JSON file of feature rows: prints what it lists, loads and infers.
"""

import json
import sys

import numpy as np
import tritonclient.http as triton

address, model, rows_file = sys.argv[1:]
with open(rows_file, encoding="utf-8") as file:
    rows = np.array(json.load(file), dtype=np.float64)

client = triton.InferenceServerClient(address)


def infer(datatype, binary, ask_for_output=True):
    tensor = triton.InferInput("features", list(rows.shape), datatype)
    kind = np.float32 if datatype == "FP32" else np.float64
    tensor.set_data_from_numpy(rows.astype(kind), binary_data=binary)
    outputs = [triton.InferRequestedOutput("prediction", binary_data=binary)] if ask_for_output else None
    result = client.infer(model, [tensor], outputs=outputs, request_id="r1")
    response = result.get_response()
    return {
        "version": response["model_version"],
        "id": response["id"],
        "values": result.as_numpy("prediction").tolist(),
    }


def refused(ask):
    try:
        ask()
    except triton.InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


metadata = client.get_model_metadata(model)
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "server": client.get_server_metadata(),
            "index": client.get_model_repository_index(),
            "metadata": metadata,
            "modelReady": client.is_model_ready(model),
            "unknown": refused(lambda: client.get_model_metadata("unknown")),
            "json": infer("FP64", False),
            "binary": infer("FP64", True),
            "float32": infer("FP32", True),
            "default": infer("FP64", True, ask_for_output=False),
        }
    )
)
