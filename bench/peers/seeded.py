"""The numbers of lib/bench/random-values.ts: uniform, of mean 0, the same to the bit."""

import math

import numpy as np
import torch

FACTOR, STEP = 1664525, 1013904223


def states(count, seed):
    """The generator's state after 1, 2, ... steps: factor^n seed + step (1 + factor + ... + factor^(n-1)) modulo 2^32."""
    powers = np.full(count + 1, FACTOR, dtype=np.uint32)
    powers[0] = 1
    np.multiply.accumulate(powers, out=powers)
    sums = np.add.accumulate(powers[:-1], dtype=np.uint32)
    return powers[1:] * np.uint32(seed) + sums * np.uint32(STEP)


def values(count, seed, std=1.0):
    unit = states(count, seed) / 2.0**31 - 1
    return (unit * math.sqrt(3) * std).astype(np.float32)


def tensor(shape, seed, dtype, device, std=1.0):
    return torch.from_numpy(values(math.prod(shape), seed, std)).view(*shape).to(device=device, dtype=dtype)


def probe(result):
    """Two numbers of a tensor, as in bench/duels/probe.ts."""
    elements = result.detach().float().cpu().contiguous().view(-1).numpy().astype(np.float64)
    return [float(np.sqrt(np.dot(elements, elements))), float(np.dot(elements, values(elements.size, 977)))]
