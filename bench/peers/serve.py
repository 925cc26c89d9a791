"""Times the cases of cases.json in PyTorch, a line of JSON in, a line of JSON out, so that it and a peer can take turns.

{"hello": true}                                  -> {"torch": "2.9.0", "device": "NVIDIA H100 80GB HBM3"}
{"variants": 3}                                  -> {"variants": ["sdpa flash", ...]} of case 3
{"case": 3, "variant": "sdpa flash", "seconds": 0.2} -> {"seconds": ..., "runs": ..., "peakBytes": ...} or {"error": "..."}

Times are wall times of runs that are enqueued in a row, with one synchronisation at the end.
"""

import argparse
import gc
import json
import os
import sys
import time

import torch

import peers


def synchronize(device):
    if device == "cuda":
        torch.cuda.synchronize()


def timed(run, runs, device):
    synchronize(device)
    start = time.perf_counter()
    for _ in range(runs):
        run()
    synchronize(device)
    return (time.perf_counter() - start) / runs


class Server:
    """Holds the inputs of one case and variant at a time, so that its memory is that case's."""

    def __init__(self, cases, device):
        self.cases = cases
        self.device = device
        self.key = None
        self.run = None

    def answer(self, request):
        if "hello" in request:
            name = torch.cuda.get_device_name() if self.device == "cuda" else self.device
            return {"torch": torch.__version__, "device": name}
        if "variants" in request:
            return {"variants": peers.variants(self.cases[request["variants"]], self.device)}
        key = (request["case"], request["variant"])
        if key != self.key:
            self.prepare(key)
        if self.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        once = timed(self.run, 1, self.device)
        runs = max(1, int(request["seconds"] / once))
        seconds = timed(self.run, runs, self.device) if runs > 1 else once
        peak = torch.cuda.max_memory_allocated() if self.device == "cuda" else None
        return {"seconds": seconds, "runs": runs, "peakBytes": peak}

    def prepare(self, key):
        self.key, self.run = None, None
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
        index, variant = key
        run = peers.prepare(self.cases[index], variant, self.device)
        # The first runs compile, choose algorithms and fill caches.
        for _ in range(3):
            run()
        synchronize(self.device)
        self.key, self.run = key, run


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--size", default="full", choices=["full", "small"])
    options = parser.parse_args()
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json"), encoding="utf-8") as file:
        cases = json.load(file)[options.size]
    torch.manual_seed(1)
    # Matrix products of float32 gradients on tensor cores, as training does.
    torch.backends.cuda.matmul.allow_tf32 = True
    # Answers alone go to standard output; what libraries print goes to standard error.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(cases, options.device)
    for line in sys.stdin:
        try:
            answer = server.answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 -- whatever goes wrong in a case is its result
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
