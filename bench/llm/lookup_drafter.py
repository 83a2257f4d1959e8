"""Drafts by LlamaPromptLookupDecoding of llama-cpp-python, for llm_peer.

    lookup_drafter.py FILE MAX_NGRAM_SIZE NUM_PRED_TOKENS

FILE is its llama_speculative.py, which needs numpy only; the package around it would load libllama. A
request on standard input is 32-bit integers: how many tokens of the text stay, how many are new, and
these; the answer is how many are drafted, and these.
"""

import importlib.util
import struct
import sys

import numpy as np


def load(path):
    spec = importlib.util.spec_from_file_location("llama_speculative", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    path, size, count = sys.argv[1:]
    draft = load(path).LlamaPromptLookupDecoding(max_ngram_size=int(size),
                                                 num_pred_tokens=int(count))
    text = np.zeros(1 << 16, dtype=np.intc)
    while head := sys.stdin.buffer.read(8):
        kept, added = struct.unpack("<ii", head)
        if kept + added > len(text):
            text = np.concatenate([text, np.zeros(kept + added, dtype=np.intc)])
        text[kept:kept + added] = np.frombuffer(sys.stdin.buffer.read(4 * added), dtype="<i4")
        tokens = draft(text[:kept + added])
        sys.stdout.buffer.write(struct.pack("<i", len(tokens)) + tokens.astype("<i4").tobytes())
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
