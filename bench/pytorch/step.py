"""The lab's model in PyTorch, for images or (a CONFIG with a vocabulary) for text, or (with pairs) for translation, as fast as plain PyTorch has it: one training step, timed on request.

Reads requests as lines of JSON on standard input, {"threads": 1, "foreach": true, "steps": 10}, and answers each with
{"milliseconds": [...], "loss": ..., "gradientNorm": ...} of those steps. The first line it writes describes PyTorch and
the first step's loss from weights by a formula, so that the other side can check that it trains the same model.
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F

CONFIG = json.loads(sys.argv[1])  # imageSize, patch, classes or vocabulary, context; width, depth, heads, hidden, batch, weightDecay, clipNorm
WIDTH, DEPTH, HEADS, HIDDEN, BATCH = (CONFIG[k] for k in ("width", "depth", "heads", "hidden", "batch"))
TEXT = "vocabulary" in CONFIG
if TEXT:
    TOKENS, CLASSES = CONFIG["context"], CONFIG["vocabulary"]
else:
    PATCH, CLASSES = CONFIG["patch"], CONFIG["classes"]
    SIDE = CONFIG["imageSize"] // PATCH
    TOKENS = SIDE * SIDE
HEAD = WIDTH // HEADS

weights = {}
decayed, kept = [], []


def value(name, i):
    return math.sin(0.1 * sum(map(ord, name)) + 1.3 * i)


def parameter(name, shape, decay, data):
    weights[name] = torch.nn.Parameter(torch.tensor(data, dtype=torch.float32).reshape(shape))
    (decayed if decay else kept).append(weights[name])


def linear(name, inputs, outputs, parts=None):
    """A linear layer; with parts, the layers of those names side by side in one matrix, as fast models have them."""
    # The formula fills [inputs, outputs] row by row; PyTorch's layers keep the transpose.
    data = [
        [value(f"{part}.weight", i * outputs + o) / math.sqrt(inputs) for i in range(inputs)]
        for part in parts or [name]
        for o in range(outputs)
    ]
    parameter(f"{name}.weight", (len(data), inputs), True, data)
    parameter(f"{name}.bias", (len(data),), False, [0.0] * len(data))


def norm(name):
    parameter(f"{name}.weight", (WIDTH,), False, [1.0] * WIDTH)
    parameter(f"{name}.bias", (WIDTH,), False, [0.0] * WIDTH)


if TEXT:
    parameter("token", (CLASSES, WIDTH), False, [0.5 * value("token", i) for i in range(CLASSES * WIDTH)])
else:
    linear("patch", PATCH * PATCH, WIDTH)
parameter("position", (TOKENS, WIDTH), False, [0.02 * value("position", i) for i in range(TOKENS * WIDTH)])
for i in range(DEPTH):
    norm(f"block{i}.norm1")
    linear(f"block{i}.qkv", WIDTH, WIDTH, [f"block{i}.{part}" for part in ("query", "key", "value")])
    linear(f"block{i}.out", WIDTH, WIDTH)
    norm(f"block{i}.norm2")
    linear(f"block{i}.ffn.gateUp", WIDTH, HIDDEN, [f"block{i}.ffn.gate", f"block{i}.ffn.up"])
    linear(f"block{i}.ffn.down", HIDDEN, WIDTH)
norm("norm")
linear("head", WIDTH, CLASSES)

groups = [{"params": decayed, "weight_decay": CONFIG["weightDecay"]}, {"params": kept, "weight_decay": 0.0}]
optimizers = {foreach: torch.optim.AdamW(groups, lr=CONFIG["learningRate"], foreach=foreach) for foreach in (False, True)}
parameters = list(weights.values())

if TEXT:
    places = torch.arange(BATCH * TOKENS + 1)
    stream = (31 * places + places % 7) % CLASSES
    tokens, labels = stream[:-1].view(BATCH, TOKENS), stream[1:]
    counted = None
    if "pairs" in CONFIG:  # Only the targets count: the head reads their places alone.
        place = torch.arange(TOKENS)
        counted = torch.cat([(place >= source - 1) & (place < source - 1 + target) for source, target in CONFIG["pairs"]])
        counted = counted.nonzero()[:, 0]
        labels = labels[counted]
    future = torch.full((TOKENS, TOKENS), -math.inf).triu(1)
else:
    images = torch.tensor([0.5 + 0.5 * value("images", i) for i in range(BATCH * CONFIG["imageSize"] ** 2)])
    images = images.view(BATCH, -1)
    labels = torch.arange(BATCH) % CLASSES


def apply(name, x):
    return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])


def normalise(name, x):
    return F.layer_norm(x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"])


def embed():
    if TEXT:
        return F.embedding(tokens, weights["token"])
    patches = images.view(BATCH, SIDE, PATCH, SIDE, PATCH).permute(0, 1, 3, 2, 4).reshape(BATCH, TOKENS, PATCH * PATCH)
    return apply("patch", patches)


def model():
    x = embed() + weights["position"]
    for i in range(DEPTH):
        packed = apply(f"block{i}.qkv", normalise(f"block{i}.norm1", x)).view(BATCH, TOKENS, 3, HEADS, HEAD)
        q, k, v = packed.permute(2, 0, 3, 1, 4)
        scores = (q * HEAD**-0.5) @ k.transpose(-1, -2)
        attention = (scores + future if TEXT else scores).softmax(-1)
        x = x + apply(f"block{i}.out", (attention @ v).transpose(1, 2).reshape(BATCH, TOKENS, WIDTH))
        gate, up = apply(f"block{i}.ffn.gateUp", normalise(f"block{i}.norm2", x)).chunk(2, -1)
        x = x + apply(f"block{i}.ffn.down", F.silu(gate) * up)
    if TEXT and counted is not None:
        return apply("head", normalise("norm", x.view(-1, WIDTH)[counted]))
    last = normalise("norm", x)
    return apply("head", last.view(-1, WIDTH) if TEXT else last.mean(1))


def step(optimizer):
    optimizer.zero_grad(set_to_none=True)
    loss = F.cross_entropy(model(), labels)
    loss.backward()
    gradient_norm = torch.nn.utils.clip_grad_norm_(parameters, CONFIG["clipNorm"])
    optimizer.step()
    return loss.item(), gradient_norm.item()


def answer(message):
    print(json.dumps(message), flush=True)


torch.set_num_threads(1)
loss, gradient_norm = step(optimizers[False])
answer({"version": torch.__version__, "loss": loss, "gradientNorm": gradient_norm})
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    milliseconds = []
    for _ in range(request["steps"]):
        start = time.perf_counter()
        loss, gradient_norm = step(optimizers[request["foreach"]])
        milliseconds.append(1000 * (time.perf_counter() - start))
    answer({"milliseconds": milliseconds, "loss": loss, "gradientNorm": gradient_norm})
