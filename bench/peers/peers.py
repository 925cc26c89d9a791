"""The peers of each kind of case, by name."""

import math

import torch
import torch.nn.functional as F

import llama
import seeded

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


class Peer:
    """`run` enqueues one run and returns its results by name; `leaves` are the inputs by the names of their gradients."""

    def __init__(self, run, leaves=None):
        self.run = run
        self.leaves = leaves or {}

    def results(self):
        found = dict(self.run())
        found.update({name: leaf.grad for name, leaf in self.leaves.items() if leaf.grad is not None})
        return found

    def clear(self):
        for leaf in self.leaves.values():
            leaf.grad = None


# On a CPU PyTorch's bfloat16 may be its slower dtype, so a fused op is compared with its float32 as well.
IN_FLOAT32 = ", float32"
FUSED_OPS = ("attention", "contrastive", "linearCrossEntropy")


def variants(case, device):
    """Names of the peers that this installation has for a case."""
    names = [name for name, is_there in PEERS[case["kind"]].items() if is_there(device)]
    if device == "cpu" and case["dtype"] != "float32" and case["kind"] in FUSED_OPS:
        names += [name + IN_FLOAT32 for name in names]
    return names


def prepare(case, variant, device):
    """The peer, with the inputs that our side makes as well."""
    if variant not in variants(case, device):
        raise ValueError(f"{variant} is not a peer of {case['kind']} here")
    make_peer = MAKERS[case["kind"]]
    if variant.endswith(IN_FLOAT32):
        return make_peer({**case, "dtype": "float32"}, variant.removesuffix(IN_FLOAT32), device)
    return make_peer(case, variant, device)


def make(shape, seed, case, device, std=1.0):
    return seeded.tensor(shape, seed, DTYPES[case["dtype"]], device, std)


def leaf(*arguments, **options):
    return make(*arguments, **options).requires_grad_()


def passes(case, leaves, forward, name, seed=None, layout=None):
    """One pass or both. `name` is that of the result, `layout` puts it and the gradients into our order of axes."""
    arrange = layout or (lambda x: x)
    peer = Peer(None, leaves)

    def forward_alone():
        with torch.no_grad():
            return {name: arrange(forward())}

    def both():
        peer.clear()
        result = forward()
        result.backward(seed)
        return {name: arrange(result)}

    peer.run = forward_alone if case["pass"] == "forward" else both
    if layout is not None:
        plain = peer.results
        peer.results = lambda: {key: value if key == name else layout(value) for key, value in plain().items()}
    return peer


# Attention: the back-ends of scaled_dot_product_attention, one at a time, and flash-attn where it is installed.


def sdpa_backends():
    """torch.nn.attention names them since 2.3."""
    try:
        from torch.nn.attention import SDPBackend
    except ImportError:
        return {}
    names = {
        "sdpa flash": "FLASH_ATTENTION",
        "sdpa cudnn": "CUDNN_ATTENTION",
        "sdpa efficient": "EFFICIENT_ATTENTION",
    }
    return {name: getattr(SDPBackend, member) for name, member in names.items() if hasattr(SDPBackend, member)}


def flash_attention():
    try:
        from flash_attn import flash_attn_func
    except ImportError:
        return None
    return flash_attn_func


def materialized_attention(q, k, v):
    scores = (q @ k.transpose(-1, -2)) / math.sqrt(q.shape[-1])
    tokens = q.shape[-2]
    later = torch.ones(tokens, tokens, dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(later, -math.inf).float().softmax(-1).to(q.dtype) @ v


def attention(case, variant, device):
    flash = variant == "flash-attn"
    # Our inputs are [tokens, heads, headDim]; most back-ends like the heads in front.
    to_theirs = (lambda x: x) if flash else (lambda x: x.transpose(1, 2).contiguous())
    to_ours = (lambda x: x) if flash else (lambda x: x.transpose(1, 2))
    shape = (1, case["tokens"], case["heads"], case["headDim"])
    q, k, v = (to_theirs(make(shape, seed, case, device)).requires_grad_() for seed in (1, 2, 3))
    if flash:
        function = flash_attention()
        forward = lambda: function(q, k, v, causal=True)  # noqa: E731
    elif variant == "materialised":
        forward = lambda: materialized_attention(q, k, v)  # noqa: E731
    elif variant == "sdpa default":
        forward = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)  # noqa: E731
    else:
        forward = with_backend(sdpa_backends()[variant], q, k, v)
    seed = to_theirs(make(shape, 4, case, device))
    return passes(case, {"dq": q, "dk": k, "dv": v}, forward, "out", seed, layout=to_ours)


def with_backend(backend, q, k, v):
    from torch.nn.attention import sdpa_kernel

    def forward():
        with sdpa_kernel(backend):
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)

    return forward


# Contrastive: all scores in memory, as public code has it.


def info_nce(x, y, temperature=0.05):
    scores = F.normalize(x.float(), dim=-1).to(x.dtype) @ F.normalize(y.float(), dim=-1).to(y.dtype).T
    logits = scores.float() / temperature
    labels = torch.arange(len(x), device=x.device)
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def contrastive(case, variant, device):
    x, y = (leaf((case["pairs"], case["features"]), seed, case, device) for seed in (1, 2))
    loss = compiled(info_nce, variant)
    return passes(case, {"dx": x, "dy": y}, lambda: loss(x, y), "loss")


# Linear cross-entropy: logits in memory.


def linear_cross_entropy(case, variant, device):
    tokens, features, vocab = case["tokens"], case["features"], case["vocab"]
    hidden = leaf((tokens, features), 1, case, device)
    weight = leaf((vocab, features), 2, case, device, std=features**-0.5)
    targets = (torch.arange(tokens, device=device) * 7919) % vocab

    def plain(hidden, weight, targets):
        return F.cross_entropy((hidden @ weight.T).float(), targets)

    loss = compiled(plain, variant)
    leaves = {"dHidden": hidden, "dWeight": weight}
    return passes(case, leaves, lambda: loss(hidden, weight, targets), "loss")


def rms_norm(case, variant, device):
    shape = (case["tokens"], case["features"])
    x, weight = leaf(shape, 1, case, device), leaf((case["features"],), 2, case, device)
    norm = compiled(llama.rms_norm, variant)
    return passes(case, {"dx": x, "dWeight": weight}, lambda: norm(x, weight), "y", make(shape, 3, case, device))


# Matrix products: by the BLAS or oneDNN, as PyTorch chooses, and float32 by oneDNN in its own layout.


def matmul(case, variant, device):
    a, b = make((case["m"], case["k"]), 1, case, device), make((case["k"], case["n"]), 2, case, device)
    if variant == "oneDNN":
        a, b = a.to_mkldnn(), b.T.contiguous().to_mkldnn()
        peer = Peer(lambda: {"y": F.linear(a, b)})
        peer.results = lambda: {"y": F.linear(a, b).to_dense()}
        return peer
    return passes(case, {}, lambda: a @ b, "y")


def adamw(case, variant, device):
    """The weight in float32 under fused AdamW, and its copy in the dtype of the model."""
    weight = seeded.tensor((case["weights"],), 1, torch.float32, device).requires_grad_()
    weight.grad = seeded.tensor((case["weights"],), 2, torch.float32, device)
    copy = weight.detach().to(DTYPES[case["dtype"]])
    optimizer = make_adamw([weight], variant, lr=1e-3)

    def run():
        optimizer.step()
        copy.copy_(weight.detach())
        return {"weight": copy}

    return Peer(run)


def make_adamw(parameters, variant, **options):
    settings = {"lr": 1e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1, **options}
    return torch.optim.AdamW(parameters, **settings, **({"fused": True} if variant.startswith("fused") else {}))


# Steps of which the losses are compared: the second follows from the gradients and the update of the first.
COMPARED_STEPS = 3


def training_step(case, variant, device):
    step = llama.training_step(case, DTYPES[case["dtype"]], device, variant, make_adamw)
    peer = Peer(step.run)
    peer.results = lambda: {f"loss of step {index + 1}": step.run() for index in range(COMPARED_STEPS)}
    peer.clear = step.clear
    return peer


def compiled(function, variant):
    return torch.compile(function) if variant == "torch.compile" else function


def always(_device):
    return True


def with_compiler(device):
    return device == "cuda" and hasattr(torch, "compile")


def on_cuda(device):
    return device == "cuda"


def has_onednn(device):
    return device == "cpu" and torch.backends.mkldnn.is_available()


def has_sdpa(_device):
    return hasattr(F, "scaled_dot_product_attention")


PEERS = {
    "attention": {
        "sdpa default": has_sdpa,
        **{name: on_cuda for name in sdpa_backends()},
        "flash-attn": lambda device: device == "cuda" and flash_attention() is not None,
        # Scores of the full sizes would need gigabytes for each head: only where they are small.
        "materialised": lambda device: device != "cuda",
    },
    "contrastive": {"materialised": always, "torch.compile": with_compiler},
    "linearCrossEntropy": {"materialised": always, "torch.compile": with_compiler},
    "rmsNorm": {"plain": always, "torch.compile": with_compiler},
    "matmul": {"matmul": always, "oneDNN": has_onednn},
    "adamw": {"plain": always, "fused": on_cuda},
    "trainingStep": {"plain": always, "fused, torch.compile": with_compiler},
}

MAKERS = {
    "attention": attention,
    "contrastive": contrastive,
    "linearCrossEntropy": linear_cross_entropy,
    "rmsNorm": rms_norm,
    "matmul": matmul,
    "adamw": adamw,
    "trainingStep": training_step,
}
