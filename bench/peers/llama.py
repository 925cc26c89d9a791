"""A Llama-style decoder with the shapes of ours, and a step of training it: float32 weights, computed in the dtype of the case by autocast."""

import contextlib

import torch
import torch.nn.functional as F
from torch import nn

import seeded


def rms_norm(x, weight, eps=1e-5):
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype) * weight.to(x.dtype)


def attend(q, k, v):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    scores = (q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(later, float("-inf")).softmax(-1) @ v


def rotate(x, cosines, sines):
    """The features of the two halves of a head turn together, as in transformers."""
    low, high = x.chunk(2, -1)
    return torch.cat([low * cosines - high * sines, high * cosines + low * sines], -1)


class Block(nn.Module):
    def __init__(self, features, heads, hidden_features):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o = (nn.Linear(features, features, bias=False) for _ in range(4))
        self.gate, self.up = (nn.Linear(features, hidden_features, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden_features, features, bias=False)
        self.input_norm = nn.Parameter(torch.ones(features))
        self.post_attention_norm = nn.Parameter(torch.ones(features))

    def forward(self, x, cosines, sines):
        segments, tokens, features = x.shape
        y = rms_norm(x, self.input_norm)
        q, k, v = (
            project(y).view(segments, tokens, self.heads, -1).transpose(1, 2) for project in (self.q, self.k, self.v)
        )
        q, k = rotate(q, cosines, sines), rotate(k, cosines, sines)
        out = attend(q.to(v.dtype), k.to(v.dtype), v)
        x = x + self.o(out.transpose(1, 2).reshape(segments, tokens, features))
        y = rms_norm(x, self.post_attention_norm)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Decoder(nn.Module):
    def __init__(self, layers, features, heads, hidden_features, vocab, context):
        super().__init__()
        self.embedding = nn.Embedding(vocab, features)
        self.blocks = nn.ModuleList(Block(features, heads, hidden_features) for _ in range(layers))
        self.norm = nn.Parameter(torch.ones(features))
        self.head = nn.Linear(features, vocab, bias=False)
        half = features // heads // 2
        angles = torch.arange(context)[:, None] * 10000.0 ** (-torch.arange(half) / half)
        self.register_buffer("cosines", angles.cos())
        self.register_buffer("sines", angles.sin())

    def forward(self, ids, targets):
        x = self.embedding(ids)
        for block in self.blocks:
            x = block(x, self.cosines, self.sines)
        logits = self.head(rms_norm(x, self.norm))
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


class Step:
    """A step of training, and what it leaves behind."""

    def __init__(self, run, model):
        self.run = run
        self.model = model

    def clear(self):
        self.model.zero_grad(set_to_none=True)


def training_step(case, dtype, device, variant, make_adamw):
    """Segments of one length stand side by side as a batch, which is what PyTorch does best."""
    tokens, segment, vocab = case["tokens"], case["segment"], case["vocab"]
    model = Decoder(case["layers"], case["features"], case["heads"], case["hiddenFeatures"], vocab, segment).to(device)
    fill(model, device)
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    norms = [parameter for parameter in model.parameters() if parameter.dim() == 1]
    optimizer = make_adamw([{"params": matrices}, {"params": norms, "weight_decay": 0.0}], variant)
    forward = torch.compile(model) if "torch.compile" in variant else model
    ids = ((torch.arange(tokens, device=device) * 7919) % vocab).view(-1, segment)
    targets = ((torch.arange(tokens, device=device) + 1) * 7919 % vocab).view(-1, segment)

    def run():
        optimizer.zero_grad(set_to_none=True)
        with autocast(device, dtype):
            loss = forward(ids, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    return Step(run, model)


def autocast(device, dtype):
    """float32 needs none, and on a CPU PyTorch 1.13 refuses even one that is not enabled."""
    return contextlib.nullcontext() if dtype == torch.float32 else torch.autocast(device_type=device, dtype=dtype)


def fill(model, device):
    """The weights that our side gives to its parameters, by their places in its list; norms stay 1."""
    for index, weight in enumerate(listed(model)):
        if weight.dim() > 1:
            weight.data = seeded.tensor(weight.shape, index + 1, torch.float32, device, std=0.02)


def listed(model):
    """In the order of our decoder."""
    yield model.embedding.weight
    for block in model.blocks:
        for linear in (block.q, block.k, block.v, block.o, block.gate, block.up, block.down):
            yield linear.weight
        yield block.input_norm
        yield block.post_attention_norm
    yield model.norm
    yield model.head.weight
