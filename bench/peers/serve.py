"""The other side of a duel, in PyTorch: a line of JSON in, a line of JSON out.

{"ask": "hello"}                                                -> {"name": "PyTorch", "version": ..., "threads": 2, "blas": ...}
{"ask": "variants", "case": {...}}                              -> {"variants": ["sdpa flash", ...]}
{"ask": "check", "case": {...}, "variant": "..."}               -> {"probes": {"loss": [norm, product], ...}}
{"ask": "memory", "case": {...}, "variant": "..."}              -> {"extraBytes": ...}
{"ask": "time", "case": {...}, "variant": "...", "seconds": 0.2} -> {"seconds": ..., "runs": ...}

or {"error": "..."}. Times are wall times of runs that are enqueued in a row, with one synchronisation at the end.
"""

import argparse
import gc
import json
import math
import os
import sys
import time

import torch

import machine
import seeded
import peers


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def time_of(run, runs, device):
    synchronize(device)
    start = time.perf_counter()
    for _ in range(runs):
        run()
    synchronize(device)
    return (time.perf_counter() - start) / runs


def timed(run, seconds, device):
    once = time_of(run, 1, device)
    runs = max(1, math.ceil(seconds / once))
    return {"seconds": once if runs == 1 else time_of(run, runs, device), "runs": runs}


class Server:
    """Holds the inputs of one case and variant at a time, so that its memory is that case's."""

    def __init__(self, device):
        self.device = device
        self.key = None
        self.peer = None

    def answer(self, request):
        return getattr(self, "on_" + request["ask"])(request)

    def on_hello(self, _request):
        if self.device == "cuda":
            about = {"device": torch.cuda.get_device_name()}
        else:
            about = {"device": self.device, "threads": torch.get_num_threads()}
            about.update(blas=machine.blas(), onednn=machine.onednn())
        return {"name": "PyTorch", "version": torch.__version__, **about}

    def on_variants(self, request):
        return {"variants": peers.variants(request["case"], self.device)}

    def on_check(self, request):
        self.prepare(request, anew=True)
        probes = {name: seeded.probe(result) for name, result in self.peer.results().items()}
        self.peer.clear()
        return {"probes": probes}

    def on_memory(self, request):
        run = self.prepare(request)
        self.peer.clear()
        return {"extraBytes": machine.extra_bytes(run, self.device)}

    def on_time(self, request):
        return timed(self.prepare(request), request["seconds"], self.device)

    def prepare(self, request, anew=False):
        key = (json.dumps(request["case"]), request["variant"])
        if key != self.key or anew:
            self.key, self.peer = None, None
            gc.collect()
            if self.device == "cuda":
                torch.cuda.empty_cache()
            self.peer = peers.prepare(request["case"], request["variant"], self.device)
            self.key = key
        return self.peer.run


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, help="of the CPU; default as PyTorch likes")
    options = parser.parse_args()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    # Matrix products of float32 gradients on tensor cores, as training does.
    torch.backends.cuda.matmul.allow_tf32 = True
    # Answers alone go to standard output; what libraries print goes to standard error.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(options.device)
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 -- whatever goes wrong in a case is its result
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
