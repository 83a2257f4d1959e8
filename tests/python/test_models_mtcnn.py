"""The three nets of MTCNN against plain numpy, from the weights as the package `mtcnn` ships them.

Keras' conventions are written out here: interleaved pictures, pooling that pads at the far ends, and
matrices whose rows count x, then y, then planes. So this also checks what set-up converted.
"""

import pathlib
import tempfile
import unittest

try:
    import joblib
    import lz4  # noqa: F401  joblib reads its files
    import numpy as np
    import models_common as common
except ImportError as missing:
    raise unittest.SkipTest(f"{missing}") from missing

SOURCES = common.MODELS / "sources"


def convolve(x, weight, bias):
    """[h, w, in] with [kh, kw, in, out], no padding."""
    rows, columns = weight.shape[:2]
    height, width = x.shape[0] - rows + 1, x.shape[1] - columns + 1
    out = np.zeros((height, width, weight.shape[3]))
    for i in range(rows):
        for j in range(columns):
            out += x[i:i + height, j:j + width] @ weight[i, j].astype(np.float64)
    return out + bias


def prelu(x, slope):
    return np.maximum(x, 0) + slope.reshape(-1) * np.minimum(x, 0)


def pool(x, window, same):
    height, width = x.shape[:2]
    if same:
        rows, columns = -(-height // 2), -(-width // 2)
        bottom, right = (max((n - 1) * 2 + window - s, 0) for n, s in ((rows, height),
                                                                       (columns, width)))
        x = np.pad(x, ((bottom // 2, bottom - bottom // 2), (right // 2, right - right // 2), (0, 0)),
                   constant_values=-np.inf)
    else:
        rows, columns = (height - window) // 2 + 1, (width - window) // 2 + 1
    return np.stack([[x[2 * i:2 * i + window, 2 * j:2 * j + window].max(axis=(0, 1))
                      for j in range(columns)] for i in range(rows)])


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def flat(x):
    return x.transpose(1, 0, 2).reshape(-1)


def p_net(x, w):
    x = pool(prelu(convolve(x, w[0], w[1]), w[2]), 2, True)
    x = prelu(convolve(x, w[3], w[4]), w[5])
    x = prelu(convolve(x, w[6], w[7]), w[8])
    planes_first = (2, 0, 1)
    return {"boxes": convolve(x, w[9], w[10]).transpose(planes_first),
            "scores": softmax(convolve(x, w[11], w[12])).transpose(planes_first)}


def r_net(x, w):
    x = pool(prelu(convolve(x, w[0], w[1]), w[2]), 3, True)
    x = pool(prelu(convolve(x, w[3], w[4]), w[5]), 3, False)
    x = flat(prelu(convolve(x, w[6], w[7]), w[8]))
    x = prelu(x @ w[9] + w[10], w[11])
    return {"boxes": x @ w[12] + w[13], "scores": softmax(x @ w[14] + w[15])}


def o_net(x, w):
    x = pool(prelu(convolve(x, w[0], w[1]), w[2]), 3, True)
    x = pool(prelu(convolve(x, w[3], w[4]), w[5]), 3, False)
    x = pool(prelu(convolve(x, w[6], w[7]), w[8]), 2, True)
    x = flat(prelu(convolve(x, w[9], w[10]), w[11]))
    x = prelu(x @ w[12] + w[13], w[14])
    return {"boxes": x @ w[15] + w[16], "landmarks": x @ w[17] + w[18],
            "scores": softmax(x @ w[19] + w[20])}


class Mtcnn(unittest.TestCase):
    def compare(self, letter, net, height, width, rows):
        common.need(f"mtcnn-{letter}")
        if not (SOURCES / f"{letter}net.lz4").exists():
            self.skipTest("the package's own files are not here: make setup")
        weights = joblib.load(SOURCES / f"{letter}net.lz4")
        rng = np.random.default_rng(3)
        smooth = rng.normal(size=(rows, 3, height // 4 + 2, width // 4 + 2))
        batch = np.kron(smooth, np.ones((4, 4)))[:, :, :height, :width]
        batch = (batch + 0.2 * rng.normal(size=batch.shape)).astype(np.float32)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            np.save(folder / "in.npy", batch)
            common.run_json("models", "run", f"mtcnn-{letter}", folder / "in.npy", "--out",
                            folder / "out.npz")
            have = dict(np.load(folder / "out.npz"))
        for row in range(rows):
            wanted = net(batch[row].transpose(1, 2, 0).astype(np.float64), weights)
            self.assertEqual(set(have), set(wanted))
            for key, value in wanted.items():
                self.assertGreater(np.std(value), 1e-3)  # something to compare
                np.testing.assert_allclose(have[key][row], value, atol=1e-4, err_msg=key)

    def test_proposals_at_any_size(self):
        self.compare("p", p_net, 12, 12, 3)
        self.compare("p", p_net, 61, 40, 2)

    def test_refinement(self):
        self.compare("r", r_net, 24, 24, 5)

    def test_output(self):
        self.compare("o", o_net, 48, 48, 5)


if __name__ == "__main__":
    unittest.main()
