"""The peers of each case of cases.json, by name. A peer is a function without arguments that enqueues one run."""

import math

import torch
import torch.nn.functional as F

import llama

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


def variants(case, device):
    """Names of the peers that this installation has for a case."""
    return [name for name, is_there in PEERS[case["kind"]].items() if is_there(device)]


def prepare(case, variant, device):
    """The peer, with inputs of its own."""
    if variant not in variants(case, device):
        raise ValueError(f"{variant} is not a peer of {case['kind']} here")
    return MAKERS[case["kind"]](case, variant, device)


def normal(shape, case, device, leaf=True):
    return torch.randn(shape, dtype=DTYPES[case["dtype"]], device=device).requires_grad_(leaf)


def forward_and_backward(leaves, forward, seed=None):
    def run():
        for leaf in leaves:
            leaf.grad = None
        result = forward()
        result.backward(seed) if seed is not None else result.backward()

    return run


def without_gradient(forward):
    def run():
        with torch.no_grad():
            forward()

    return run


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
    tokens, heads, head_dim = case["tokens"], case["heads"], case["headDim"]
    flash = variant == "flash-attn"
    shape = (1, tokens, heads, head_dim) if flash else (1, heads, tokens, head_dim)
    q, k, v = (normal(shape, case, device) for _ in range(3))
    if flash:
        function = flash_attention()
        forward = lambda: function(q, k, v, causal=True)  # noqa: E731
    elif variant == "materialised":
        forward = lambda: materialized_attention(q, k, v)  # noqa: E731
    elif variant == "sdpa default":
        forward = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=True)  # noqa: E731
    else:
        forward = with_backend(sdpa_backends()[variant], q, k, v)
    if case["pass"] == "forward":
        return without_gradient(forward)
    return forward_and_backward([q, k, v], forward, normal(shape, case, device, leaf=False))


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
    x, y = (normal((case["pairs"], case["features"]), case, device) for _ in range(2))
    loss = compiled(info_nce, variant)
    return forward_and_backward([x, y], lambda: loss(x, y))


# Linear cross-entropy: logits in memory.


def linear_cross_entropy(case, variant, device):
    tokens, features, vocab = case["tokens"], case["features"], case["vocab"]
    hidden = normal((tokens, features), case, device)
    weight = normal((vocab, features), case, device)
    targets = (torch.arange(tokens, device=device) * 7919) % vocab

    def plain(hidden, weight, targets):
        return F.cross_entropy((hidden @ weight.T).float(), targets)

    loss = compiled(plain, variant)
    return forward_and_backward([hidden, weight], lambda: loss(hidden, weight, targets))


def rms_norm(case, variant, device):
    shape = (case["tokens"], case["features"])
    x, weight = normal(shape, case, device), normal((case["features"],), case, device)
    norm = compiled(llama.rms_norm, variant)
    return forward_and_backward([x, weight], lambda: norm(x, weight), normal(shape, case, device, leaf=False))


def adamw(case, variant, device):
    """The weight in float32 under fused AdamW, and its copy in the dtype of the model."""
    weight = torch.randn(case["weights"], device=device, requires_grad=True)
    weight.grad = torch.randn_like(weight)
    copy = weight.detach().to(DTYPES[case["dtype"]])
    optimizer = make_adamw([weight], variant)

    def run():
        optimizer.step()
        copy.copy_(weight.detach())

    return run


def make_adamw(parameters, variant, **options):
    settings = {"lr": 1e-4, "betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": 0.1, **options}
    return torch.optim.AdamW(parameters, **settings, **({"fused": True} if variant.startswith("fused") else {}))


def training_step(case, variant, device):
    return llama.training_step(case, DTYPES[case["dtype"]], device, variant, make_adamw)


def compiled(function, variant):
    return torch.compile(function) if variant == "torch.compile" else function


def always(_device):
    return True


def with_compiler(device):
    return device == "cuda" and hasattr(torch, "compile")


def on_cuda(device):
    return device == "cuda"


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
    "adamw": {"plain": always, "fused": on_cuda},
    "trainingStep": {"plain": always, "fused, torch.compile": with_compiler},
}

MAKERS = {
    "attention": attention,
    "contrastive": contrastive,
    "linearCrossEntropy": linear_cross_entropy,
    "rmsNorm": rms_norm,
    "adamw": adamw,
    "trainingStep": training_step,
}
