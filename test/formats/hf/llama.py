"""Logits of a Llama or Mistral in a folder of Hugging Face files: the equations in PyTorch, batch of one, no cache.

Standard input is a JSON list of jobs {folder, dtype, tokens, output}; the logits of each, float32 [tokens, vocab], little-endian, become the
file output. Shares nothing with crossmap: it parses config.json and the safetensors files itself, by the names that transformers gives them.
"""

import json
import math
import os
import struct
import sys

import torch

DTYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


def read_file(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = torch.frombuffer(data[begin:end], dtype=DTYPES[entry["dtype"]])
        yield name, flat.reshape(entry["shape"])


def read_weights(folder):
    index = os.path.join(folder, "model.safetensors.index.json")
    if not os.path.exists(index):
        return dict(read_file(os.path.join(folder, "model.safetensors")))
    with open(index) as file:
        weight_map = json.load(file)["weight_map"]
    weights = {}
    for name in sorted(set(weight_map.values())):
        weights.update(read_file(os.path.join(folder, name)))
    assert set(weights) == set(weight_map)
    return weights


def frequencies(config, dim):
    """Angle per position, and the factor of cosine and sine: modeling_rope_utils of transformers, by its papers."""
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    theta = rope.get("rope_theta", config.get("rope_theta", 10000.0))
    plain = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind == "default":
        return plain, 1.0
    if kind == "linear":
        return plain / rope["factor"], 1.0
    original, factor = rope["original_max_position_embeddings"], rope["factor"]
    if kind == "llama3":
        low, high = original / rope["low_freq_factor"], original / rope["high_freq_factor"]
        wavelength = 2 * math.pi / plain
        smooth = (original / wavelength - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
        blended = (1 - smooth) * plain / factor + smooth * plain
        scaled = torch.where(wavelength > low, plain / factor, blended)
        return torch.where(wavelength < high, plain, scaled), 1.0
    assert kind == "yarn"

    def feature(turns):
        return dim * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))

    first = max(math.floor(feature(rope["beta_fast"])), 0)
    last = min(math.ceil(feature(rope["beta_slow"])), dim - 1)
    ramp = ((torch.arange(dim // 2, dtype=torch.float64) - first) / max(last - first, 0.001)).clamp(0, 1)
    return plain / factor * ramp + plain * (1 - ramp), 0.1 * math.log(factor) + 1


def widened(x):
    """Norms, softmax and logits are float32 at least."""
    return x if x.dtype == torch.float64 else x.float()


def rms_norm(x, weight, eps):
    wide = widened(x)
    return weight * (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(x.dtype)


def rotate(x, cosines, sines):
    low, high = x.chunk(2, -1)
    return torch.cat([low * cosines - high * sines, high * cosines + low * sines], -1)


def attend(q, k, v, window):
    """q [heads, tokens, dim]; k, v [kv heads, tokens, dim], each shared by neighbouring query heads."""
    k, v = (each.repeat_interleave(q.shape[0] // each.shape[0], 0) for each in (k, v))
    scores = widened(q @ k.transpose(-1, -2)) * q.shape[-1] ** -0.5
    distance = torch.arange(q.shape[1])[:, None] - torch.arange(q.shape[1])
    hidden = (distance < 0) | (distance >= window)
    return scores.masked_fill(hidden, float("-inf")).softmax(-1).to(v.dtype) @ v


def logits(config, weights, ids, dtype):
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    dim = config.get("head_dim") or config["hidden_size"] // heads
    eps = config["rms_norm_eps"]
    window = (config["model_type"] == "mistral" and config["sliding_window"]) or len(ids) + 1
    angle, scale = frequencies(config, dim)
    wide = torch.float64 if dtype == torch.float64 else torch.float32  # of positions and angles, as in transformers
    angles = torch.arange(len(ids), dtype=wide)[:, None] * angle.to(wide)
    cosines, sines = ((turn * scale).to(dtype) for turn in (angles.cos(), angles.sin()))
    get = lambda name: weights[name + ".weight"].to(dtype)
    x = get("model.embed_tokens")[ids]
    for layer in range(config["num_hidden_layers"]):
        block = lambda part: get(f"model.layers.{layer}.{part}")
        y = rms_norm(x, block("input_layernorm"), eps)
        split = lambda part, count: (y @ block(part).T).view(-1, count, dim).transpose(0, 1)
        q, k = (rotate(split(f"self_attn.{part}_proj", n), cosines, sines) for part, n in (("q", heads), ("k", kv_heads)))
        out = attend(q, k, split("self_attn.v_proj", kv_heads), window)
        x = x + out.transpose(0, 1).reshape(len(ids), -1) @ block("self_attn.o_proj").T
        y = rms_norm(x, block("post_attention_layernorm"), eps)
        gate = torch.nn.functional.silu(y @ block("mlp.gate_proj").T)
        x = x + (gate * (y @ block("mlp.up_proj").T)) @ block("mlp.down_proj").T
    head = get("model.embed_tokens" if config["tie_word_embeddings"] else "lm_head")
    return rms_norm(x, get("model.norm"), eps) @ head.T


def main():
    for job in json.load(sys.stdin):
        with open(os.path.join(job["folder"], "config.json")) as file:
            config = json.load(file)
        weights = read_weights(job["folder"])
        result = logits(config, weights, torch.tensor(job["tokens"]), getattr(torch, job["dtype"]))
        with open(job["output"], "wb") as file:
            file.write(result.float().numpy().tobytes())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
