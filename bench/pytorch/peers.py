"""The cases of src/peers/cases.ts in PyTorch, as a side of the table: one line of JSON in, one out (see src/peers/serve.ts)."""
import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

OPTIONS = json.loads(sys.argv[1])
torch.set_num_threads(OPTIONS["threads"])
PERIOD = 2**16
WARM_UP = 300


def numbers(name, count, scale):
    """The numbers of cases.ts."""
    seed = sum(map(ord, name)) * 2**16
    mask = np.uint64(2**32 - 1)
    mixed = (np.arange(min(count, PERIOD), dtype=np.uint64) + np.uint64(seed)) * np.uint64(0x9E3779B1) & mask
    mixed = (mixed ^ (mixed >> np.uint64(15))) * np.uint64(0x85EBCA77) & mask
    mixed ^= mixed >> np.uint64(13)
    data = (scale * (mixed.astype(np.uint32).view(np.int32) / 2.0**31)).astype(np.float32)
    return torch.from_numpy(np.resize(data, count).copy())


def elementwise(kind, count):
    gate, up, dy = numbers("gate", count, 6), numbers("up", count, 2), numbers("dy", count, 1)
    if kind == "forward":
        out = torch.empty(count)

        def forward():
            torch.mul(F.silu(gate), up, out=out)
            return [out]

        return forward
    gate.requires_grad_()
    up.requires_grad_()
    y = F.silu(gate) * up
    return lambda: torch.autograd.grad(y, [gate, up], dy, retain_graph=True)


def block(kind, rows, model, hidden):
    x = numbers("x", rows * model, 1.7).view(rows, model)
    dy = numbers("dY", rows * model, 1).view(rows, model)
    gate = numbers("gate", model * hidden, 1.7 / model**0.5).view(model, hidden)
    up = numbers("up", model * hidden, 1.7 / model**0.5).view(model, hidden)
    down = numbers("down", hidden * model, 1.7 / hidden**0.5).view(hidden, model)
    leaves = [x, gate, up, down]

    def forward():
        return (F.silu(x @ gate) * (x @ up)) @ down

    if kind == "ffnForward":

        def inference():
            with torch.no_grad():
                return [forward()]

        return inference
    for leaf in leaves:
        leaf.requires_grad_()
    return lambda: torch.autograd.grad(forward(), leaves, dy)


def turn(run, milliseconds):
    start = time.perf_counter()
    calls = 0
    while True:
        run()
        calls += 1
        elapsed = 1000 * (time.perf_counter() - start)
        if elapsed >= milliseconds:
            return {"milliseconds": elapsed / calls, "calls": calls}


def digest(tensor):
    flat = tensor.detach().reshape(-1)
    return [flat.abs().double().mean().item(), *(flat[i].item() for i in (0, len(flat) // 2, len(flat) - 1))]


def answer(message):
    print(json.dumps(message), flush=True)


answer({"version": torch.__version__})
work = None
for line in sys.stdin:
    message = json.loads(line)
    if "open" in message:
        case = message["open"]
        if "count" in case:
            work = elementwise(case["kind"], case["count"])
        else:
            work = block(case["kind"], case["rows"], case["dModel"], case["dFf"])
        turn(work, WARM_UP)
        answer({"digest": [digest(result) for result in work()]})
    elif "turn" in message:
        answer(turn(work, message["turn"]))
    else:
        work = None
        answer({})
