"""What PyTorch runs on here, and what memory its process holds."""

import ctypes
import gc
import os
import re

import torch

# Debian's alternatives put any of them behind libblas.so.3: the folder or the name tells which. The first that fits counts.
LIBRARIES = (("MKL", "mkl_"), ("OpenBLAS", "openblas"), ("BLIS", "/blis|libblis"), ("ATLAS", "atlas"), ("reference", "libblas"))


def blas_of(maps):
    """The BLAS among the libraries that a process has mapped; none where PyTorch holds its own inside."""
    files = sorted(set(re.findall(r"(/\S+\.so[.\d]*)$", maps, re.MULTILINE)))
    for name, pattern in LIBRARIES:
        fitting = [each for each in files if re.search(pattern, each)]
        # The library itself before the name that stands for any of them: it tells the version.
        fitting.sort(key=lambda each: re.search(pattern, "/" + os.path.basename(each)) is None)
        if fitting:
            return {"name": name, "file": os.path.basename(fitting[0])}
    return None


def blas():
    if torch.backends.mkl.is_available():
        return {"name": "MKL", "file": "inside PyTorch"}
    torch.mm(torch.ones(2, 2), torch.ones(2, 2))  # loads what is loaded late
    with open("/proc/self/maps", encoding="utf-8") as file:
        return blas_of(file.read())


def onednn():
    return torch.backends.mkldnn.is_available()


def extra_bytes(run, device):
    """Most bytes that a run holds besides what is there before it."""
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    # What the C library keeps for later is given back, or the run would find it there.
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
        file.write("5")  # proc(5): VmHWM becomes the present VmRSS
    before = status_bytes("VmRSS")
    run()
    return status_bytes("VmHWM") - before


def status_bytes(name):
    with open("/proc/self/status", encoding="utf-8") as file:
        return int(re.search(rf"^{name}:\s+(\d+) kB$", file.read(), re.MULTILINE)[1]) * 1024
