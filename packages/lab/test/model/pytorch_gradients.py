"""Writes pytorch_gradients.json: loss and gradients of the lab's model in PyTorch, float64, for weights by a formula.

Run with any PyTorch from 1.13 on: python3 pytorch_gradients.py > pytorch_gradients.json
"""
import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

# ONNX attributes are float32: heads of 4 channels make the scale of attention, 1 / sqrt(4), exact.
SHAPE = dict(imageSize=6, patch=3, classes=3, width=8, depth=2, heads=2, hidden=5)
SEQUENCE = dict(vocabulary=7, context=5, width=8, depth=2, heads=2, hidden=5)
EPSILON = 9.999999747378752e-06  # 1e-5 in float32, also an attribute
BATCH = 3
LABELS = [2, 0, 1]
# The first of each sequence's labels is the token after its first; -1 is padding.
TOKENS = [[1, 2, 3, 2, 6], [0, 0, 5, 4, 1], [3, 6, 6, 2, 0]]
NEXT_TOKENS = [[2, 3, 2, 6, 4], [0, 5, 4, -1, -1], [-1, -1, 2, 0, 5]]


def value(name, i):
    """The i-th element of a parameter or input."""
    return 0.6 * math.sin(0.1 * sum(map(ord, name)) + 1.3 * i)


def tensor(name, *shape, shift=0.0):
    size = math.prod(shape)
    return torch.tensor([shift + value(name, i) for i in range(size)]).reshape(shape).requires_grad_()


def swish(x, beta):
    return x * torch.sigmoid(beta * x)


UNGATED = {"relu": F.relu}
GATED = {"geglu": lambda g, u: F.gelu(g) * u}
TRAINED = {"swish-trained": swish, "swiglu-trained": lambda g, u, b: swish(g, b) * u}
SELF = {"selfGlu": lambda own, other: own * torch.sigmoid(other)}
SELF_TRAINED = {"swigluBlend-trained": lambda own, other, b: swish(own, b) + (1 - torch.sigmoid(b * own)) * other}


def run(variant, sequences=False):
    size = SEQUENCE if sequences else SHAPE
    width, depth, heads, hidden = (size[k] for k in ("width", "depth", "heads", "hidden"))
    patch, side = SHAPE["patch"], SHAPE["imageSize"] // SHAPE["patch"]
    tokens = SEQUENCE["context"] if sequences else side**2
    weights = {}

    def get(name, *shape, shift=0.0):
        return weights.setdefault(name, tensor(name, *shape, shift=shift))

    def linear(name, x, inputs, outputs):
        return x @ get(f"{name}.weight", inputs, outputs) + get(f"{name}.bias", outputs)

    def norm(name, x):
        return F.layer_norm(x, (width,), get(f"{name}.weight", width, shift=1.0), get(f"{name}.bias", width), EPSILON)

    def feed_forward(name, x):
        beta = [get(f"{name}.beta", shift=1.0)] if variant.endswith("-trained") else []
        if variant in UNGATED or variant == "swish-trained":
            function = UNGATED.get(variant) or TRAINED[variant]
            y = function(linear(f"{name}.up", x, width, hidden), *beta)
        elif variant in SELF or variant in SELF_TRAINED:
            own = linear(f"{name}.in", x, width, hidden)
            y = (SELF.get(variant) or SELF_TRAINED[variant])(own, linear(f"{name}.square", own, hidden, hidden), *beta)
        else:
            gate, up = linear(f"{name}.gate", x, width, hidden), linear(f"{name}.up", x, width, hidden)
            y = (GATED.get(variant) or TRAINED[variant])(gate, up, *beta)
        return linear(f"{name}.down", y, hidden, width)

    def attention(name, x):
        shape = (BATCH, tokens, heads, width // heads)
        q, k, v = (linear(f"{name}.{part}", x, width, width).view(shape).transpose(1, 2) for part in ("query", "key", "value"))
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // heads)
        if sequences:
            scores = scores.masked_fill(torch.ones(tokens, tokens).triu(1).bool(), -math.inf)
        mixed = scores.softmax(-1) @ v
        return linear(f"{name}.out", mixed.transpose(1, 2).reshape(BATCH, tokens, width), width, width)

    def embed():
        if sequences:
            return F.embedding(torch.tensor(TOKENS), get("token", SEQUENCE["vocabulary"], width))
        images = torch.tensor([0.5 + value("images", i) for i in range(BATCH * SHAPE["imageSize"] ** 2)])
        patches = images.view(BATCH, side, patch, side, patch).permute(0, 1, 3, 2, 4).reshape(BATCH, side**2, patch**2)
        return linear("patch", patches, patch**2, width)

    x = embed() + get("position", tokens, width)
    for i in range(depth):
        x = x + attention(f"block{i}", norm(f"block{i}.norm1", x))
        x = x + feed_forward(f"block{i}.ffn", norm(f"block{i}.norm2", x))
    last = norm("norm", x)
    if sequences:
        logits = linear("head", last, width, SEQUENCE["vocabulary"])
        loss = F.cross_entropy(logits.flatten(0, 1), torch.tensor(NEXT_TOKENS).flatten(), ignore_index=-1)
    else:
        loss = F.cross_entropy(linear("head", last.mean(1), width, SHAPE["classes"]), torch.tensor(LABELS))
    loss.backward()
    gradients = {name: [float(f"{g:.14e}") for g in w.grad.flatten().tolist()] for name, w in weights.items()}
    return {"loss": loss.item(), "gradients": gradients}


variants = [*UNGATED, *GATED, *TRAINED, *SELF, *SELF_TRAINED]
images = {"shape": SHAPE, "labels": LABELS, "variants": {variant: run(variant) for variant in variants}}
sequences = {
    "shape": SEQUENCE,
    "tokens": TOKENS,
    "labels": NEXT_TOKENS,
    "variants": {variant: run(variant, sequences=True) for variant in ["relu", "geglu", "swiglu-trained", "selfGlu"]},
}
print(json.dumps({"torch": torch.__version__, "images": images, "sequences": sequences}))
