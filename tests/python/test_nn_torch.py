#!/usr/bin/env python3
"""Networks, losses and draws beside PyTorch: independent Python code of the published definitions, the
same weights, the same input. Also checkpoints that torch.save really wrote."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError as missing:
    raise unittest.SkipTest(f"{missing} (make setup installs PyTorch)") from missing

PROBE = pathlib.Path(os.environ["SOSIA_BUILD"]) / "bin/nn_probe"
if not PROBE.exists():
    raise unittest.SkipTest("this build has no nn_probe (LibTorch is absent)")
torch.set_num_threads(1)
KINDS = {"F32": torch.float32, "I64": torch.int64, "F64": torch.float64, "BF16": torch.bfloat16,
         "F16": torch.float16, "U8": torch.uint8, "BOOL": torch.bool, "I32": torch.int32}


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    names = {kind: name for name, kind in KINDS.items()}
    for name, tensor in tensors.items():
        blob = tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def read_safetensors(path):
    data = bytearray(path.read_bytes())
    size = int.from_bytes(data[:8], "little")
    out = {}
    for name, entry in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + o for o in entry["data_offsets"])
        raw = torch.frombuffer(data[begin:end] or bytearray(1), dtype=torch.uint8)[:end - begin]
        out[name] = raw.clone().view(KINDS[entry["dtype"]]).reshape(entry["shape"])
    return out


def probe(*words):
    result = subprocess.run([PROBE, *map(str, words)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(result.stderr)


# -- networks as published ---------------------------------------------------------------------------


class Ibn(nn.Module):
    def __init__(self, planes):
        super().__init__()
        self.half = planes // 2
        self.IN = nn.InstanceNorm2d(self.half, affine=True)
        self.BN = nn.BatchNorm2d(planes - self.half)

    def forward(self, x):
        a, b = x.split([self.half, x.shape[1] - self.half], 1)
        return torch.cat([self.IN(a.contiguous()), self.BN(b.contiguous())], 1)


class Basic(nn.Module):
    def __init__(self, cin, width, stride, ibn):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, width, 3, stride, 1, bias=False)
        self.bn1 = Ibn(width) if ibn == "a" else nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.down(cin, width, stride)

    def down(self, cin, out, stride):
        self.downsample = None
        if stride != 1 or cin != out:
            self.downsample = nn.Sequential(nn.Conv2d(cin, out, 1, stride, bias=False),
                                            nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + (self.downsample(x) if self.downsample else x))


class Bottle(Basic):
    def __init__(self, cin, width, stride, ibn):
        nn.Module.__init__(self)
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = Ibn(width) if ibn == "a" else nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * 4)
        self.IN = nn.InstanceNorm2d(width * 4, affine=True) if ibn == "b" else None
        self.down(cin, width * 4, stride)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y)) + (self.downsample(x) if self.downsample else x)
        return F.relu(self.IN(y) if self.IN is not None else y)


class ResNet(nn.Module):
    def __init__(self, block, blocks, ibn=None):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.InstanceNorm2d(64, affine=True) if ibn == "b" else nn.BatchNorm2d(64)
        cin = 64
        for stage, count in enumerate(blocks):
            width, layer = 64 << stage, []
            for i in range(count):
                kind = ibn
                if ibn == "a" and stage == 3:
                    kind = None
                if ibn == "b" and (stage > 1 or i + 1 < count):
                    kind = None
                layer.append(block(cin, width, 2 if i == 0 and stage else 1, kind))
                cin = width * (4 if block is Bottle else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        return x.mean((2, 3))


class IBasic(nn.Module):
    def __init__(self, cin, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(cin)
        self.conv1 = nn.Conv2d(cin, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.prelu = nn.PReLU(out)
        self.conv2 = nn.Conv2d(out, out, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample = nn.Sequential(nn.Conv2d(cin, out, 1, stride, bias=False),
                                        nn.BatchNorm2d(out)) if stride != 1 else None

    def forward(self, x):
        y = self.bn3(self.conv2(self.prelu(self.bn2(self.conv1(self.bn1(x))))))
        return y + (self.downsample(x) if self.downsample else x)


class IResNet(nn.Module):
    def __init__(self, blocks, side):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1, self.prelu = nn.BatchNorm2d(64), nn.PReLU(64)
        cin = 64
        for stage, count in enumerate(blocks):
            out = 64 << stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(
                *[IBasic(cin if i == 0 else out, out, 2 if i == 0 else 1) for i in range(count)]))
            cin = out
        self.bn2 = nn.BatchNorm2d(512)
        self.fc = nn.Linear(512 * (side // 16) ** 2, 512)
        self.features = nn.BatchNorm1d(512)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.features(self.fc(torch.flatten(self.bn2(x), 1)))


class ConvBlock(nn.Module):
    def __init__(self, cin, out, kernel, stride, pad, groups, linear=False):
        super().__init__()
        layers = [nn.Conv2d(cin, out, kernel, stride, pad, groups=groups, bias=False),
                  nn.BatchNorm2d(out)]
        self.layers = nn.Sequential(*(layers if linear else layers + [nn.PReLU(out)]))

    def forward(self, x):
        return self.layers(x)


class DepthWise(nn.Module):
    def __init__(self, cin, out, stride, groups, residual=False):
        super().__init__()
        self.residual = residual
        self.layers = nn.Sequential(ConvBlock(cin, groups, 1, 1, 0, 1),
                                    ConvBlock(groups, groups, 3, stride, 1, groups),
                                    ConvBlock(groups, out, 1, 1, 0, 1, True))

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


class Residual(nn.Module):
    def __init__(self, channels, count, groups):
        super().__init__()
        self.layers = nn.Sequential(*[DepthWise(channels, channels, 1, groups, True)
                                      for _ in range(count)])

    def forward(self, x):
        return self.layers(x)


class Gdc(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(ConvBlock(512, 512, 7, 1, 0, 512, True), nn.Flatten(),
                                    nn.Linear(512, 512, bias=False), nn.BatchNorm1d(512))

    def forward(self, x):
        return self.layers(x)


class MobileFaceNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([
            ConvBlock(3, 128, 3, 2, 1, 1), ConvBlock(128, 128, 3, 1, 1, 64),
            DepthWise(128, 128, 2, 128), Residual(128, 4, 128), DepthWise(128, 256, 2, 256),
            Residual(256, 6, 256), DepthWise(256, 256, 2, 512), Residual(256, 2, 256)])
        self.conv_sep = ConvBlock(256, 512, 1, 1, 0, 1)
        self.features = Gdc()

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.features(self.conv_sep(x))


class ConvLayer(nn.Module):
    def __init__(self, cin, out, kernel, stride=1, linear=False):
        super().__init__()
        self.conv = nn.Conv2d(cin, out, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out)
        self.linear = linear

    def forward(self, x):
        y = self.bn(self.conv(x))
        return y if self.linear else F.relu(y)


class Light(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = nn.Conv2d(c, c, 1, bias=False)
        self.conv2 = nn.Conv2d(c, c, 3, 1, 1, groups=c, bias=False)
        self.bn = nn.BatchNorm2d(c)

    def forward(self, x):
        return F.relu(self.bn(self.conv2(self.conv1(x))))


class Gate(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(c, c // 16, 1), nn.Conv2d(c // 16, c, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.fc2(F.relu(self.fc1(F.adaptive_avg_pool2d(x, 1)))))


class OsBlock(nn.Module):
    def __init__(self, cin, out):
        super().__init__()
        mid = out // 4
        self.conv1 = ConvLayer(cin, mid, 1)
        self.conv2a = Light(mid)
        for name, count in (("conv2b", 2), ("conv2c", 3), ("conv2d", 4)):
            setattr(self, name, nn.Sequential(*[Light(mid) for _ in range(count)]))
        self.gate = Gate(mid)
        self.conv3 = ConvLayer(mid, out, 1, linear=True)
        self.downsample = ConvLayer(cin, out, 1, linear=True) if cin != out else None

    def forward(self, x):
        y = self.conv1(x)
        y = sum(self.gate(part(y)) for part in (self.conv2a, self.conv2b, self.conv2c, self.conv2d))
        return F.relu(self.conv3(y) + (self.downsample(x) if self.downsample else x))


class OsNet(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv1 = ConvLayer(3, c[0], 7, 2)
        for i in range(3):
            parts = [OsBlock(c[i], c[i + 1]), OsBlock(c[i + 1], c[i + 1])]
            if i < 2:
                parts.append(nn.Sequential(ConvLayer(c[i + 1], c[i + 1], 1), nn.AvgPool2d(2, 2)))
            setattr(self, f"conv{i + 2}", nn.Sequential(*parts))
        self.conv5 = ConvLayer(c[3], c[3], 1)
        self.fc = nn.Sequential(nn.Linear(c[3], 512), nn.BatchNorm1d(512), nn.ReLU())

    def forward(self, x):
        x = F.max_pool2d(self.conv1(x), 3, 2, 1)
        for name in ("conv2", "conv3", "conv4", "conv5"):
            x = getattr(self, name)(x)
        return self.fc(x.mean((2, 3)))


class VitAttention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.qkv, self.proj, self.heads = nn.Linear(d, 3 * d), nn.Linear(d, d), heads

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        y = torch.softmax(q @ k.transpose(-1, -2) / (d // self.heads) ** 0.5, -1) @ v
        return self.proj(y.transpose(1, 2).reshape(n, t, d))


class VitMlp(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class VitBlock(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d, eps=1e-6), nn.LayerNorm(d, eps=1e-6)
        self.attn, self.mlp = VitAttention(d, heads), VitMlp(d)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    def __init__(self, d, heads, depth, side, patch, registers):
        super().__init__()
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, d, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, d))
        self.reg_token = nn.Parameter(torch.randn(1, registers, d))
        self.pos_embed = nn.Parameter(torch.randn(1, (side // patch) ** 2 + 1, d))
        self.blocks = nn.ModuleList([VitBlock(d, heads) for _ in range(depth)])
        self.norm = nn.LayerNorm(d, eps=1e-6)

    def forward(self, x):
        p = self.patch_embed.proj(x).flatten(2).transpose(1, 2)
        n = len(x)
        x = torch.cat([self.cls_token.expand(n, -1, -1), p], 1) + self.pos_embed
        x = torch.cat([x[:, :1], self.reg_token.expand(n, -1, -1), x[:, 1:]], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]


class SmallCnn(nn.Module):
    def __init__(self):
        super().__init__()
        cin = 3
        for i, c in enumerate((32, 64, 96, 128), 1):
            setattr(self, f"conv{i}", nn.Conv2d(cin, c, 3, 1 if i == 1 else 2, 1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(c))
            cin = c
        self.fc = nn.Linear(128, 128)

    def forward(self, x):
        for i in range(1, 5):
            x = F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x)))
        return self.fc(x.mean((2, 3)))


NETWORKS = [
    ("resnet18", 64, {}, lambda: ResNet(Basic, (2, 2, 2, 2))),
    ("resnet50", 64, {}, lambda: ResNet(Bottle, (3, 4, 6, 3))),
    ("resnet18_ibn_a", 64, {}, lambda: ResNet(Basic, (2, 2, 2, 2), "a")),
    ("resnet50_ibn_a", 128, {}, lambda: ResNet(Bottle, (3, 4, 6, 3), "a")),
    ("resnet50_ibn_b", 64, {}, lambda: ResNet(Bottle, (3, 4, 6, 3), "b")),
    ("iresnet18", 64, {}, lambda: IResNet((2, 2, 2, 2), 64)),
    ("mobilefacenet", 112, {}, MobileFaceNet),
    ("osnet_x0_25", 64, {}, lambda: OsNet((16, 64, 96, 128))),
    ("osnet_x1_0", 64, {}, lambda: OsNet((64, 256, 384, 512))),
    ("vit_tiny", 48, {"patch_px": 8, "registers": 4}, lambda: Vit(192, 3, 12, 48, 8, 4)),
    ("small_cnn", 32, {}, SmallCnn),
]


class Networks(unittest.TestCase):
    def check(self, name, side, extra, make, folder):
        torch.manual_seed(7)
        module = make()
        for key, value in module.state_dict().items():  # nothing at its neutral value
            if key.endswith("running_mean") or (key.endswith("bias") and value.dim() == 1):
                value.normal_(0, 0.2)
            elif key.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif value.dim() == 1 and value.dtype == torch.float32:
                value.uniform_(0.5, 1.5)
        if name.startswith("iresnet"):
            module.features.weight.data.fill_(1)
        images = torch.randn(3, 3, side, side, requires_grad=True)
        module.eval()
        out = module(images)
        direction = torch.randn_like(out)
        (out * direction).sum().backward()
        weights = {"w." + k: v for k, v in module.state_dict().items()}
        write_safetensors(folder / "in", {**weights, "images": images, "direction": direction})
        (folder / "spec").write_text(json.dumps(
            {"architecture": name, "height_px": side, "width_px": side, **extra}))
        probe("network", folder / "spec", folder / "in", folder / "out")
        ours = read_safetensors(folder / "out")
        module.train()
        trained = module(images)

        def near(what, a, b, bound=1e-5):
            error = ((a - b).abs().max() / b.abs().max().clamp_min(1e-6)).item()
            self.assertLess(error, bound, f"{name}: {what}")

        near("output", ours["out"], out)
        near("gradient", ours["gradient"], images.grad, 1e-4)
        near("with the batch's statistics", ours["trained"], trained, 2e-4)
        for key, value in module.state_dict().items():
            if key.endswith("running_mean"):
                near(key, ours["after." + key], value, 1e-4)

    def test_all(self):
        for name, side, extra, make in NETWORKS:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                self.check(name, side, extra, make, pathlib.Path(folder))


# -- losses ------------------------------------------------------------------------------------------


def triplet(x, labels, margin):
    losses = []
    for i in range(len(x)):
        d = ((x[i] - x) ** 2).sum(1).clamp_min(1e-12).sqrt()
        same = labels == labels[i]
        positive = same.clone()
        positive[i] = False
        gap = d[positive].max() - d[~same].min()
        losses.append(F.relu(gap + margin) if margin else F.softplus(gap))
    return torch.stack(losses).mean()


def supcon(x, labels, t):
    z = F.normalize(x)
    losses = []
    for i in range(len(x)):
        others = [j for j in range(len(x)) if j != i]
        scores = (z[others] @ z[i]) / t
        positives = [k for k, j in enumerate(others) if labels[j] == labels[i]]
        losses.append(-(scores[positives] - torch.logsumexp(scores, 0)).mean())
    return torch.stack(losses).mean()


def margin(x, weight, labels, m2=0.0, m3=0.0):
    cosine = F.normalize(x) @ F.normalize(weight).t()
    hot = F.one_hot(labels, len(weight)).bool()
    angle = cosine.clamp(-1 + 1e-7, 1 - 1e-7).acos()
    fall_back = cosine - m2 * torch.sin(torch.tensor(torch.pi - m2))
    changed = torch.where(angle + m2 < torch.pi, torch.cos(angle + m2), fall_back) - m3
    return F.cross_entropy(64 * torch.where(hot, changed, cosine), labels)


def adaface(x, weight, labels):
    cosine = (F.normalize(x) @ F.normalize(weight).t()).clamp(-1 + 1e-3, 1 - 1e-3)
    length = x.norm(dim=1).clamp(0.001, 100).detach()
    mean = torch.tensor(20.0).lerp(length.mean(), 0.01)
    deviation = torch.tensor(100.0).lerp(length.std(), 0.01)
    z = ((length - mean) / (deviation + 1e-3) * 0.333).clamp(-1, 1)[:, None]
    changed = (cosine.acos() - 0.4 * z).clamp(1e-3, torch.pi - 1e-3).cos() - (0.4 + 0.4 * z)
    return F.cross_entropy(64 * torch.where(F.one_hot(labels, len(weight)).bool(), changed, cosine),
                           labels)


def barlow(x, y, lam=0.0051):
    norm = nn.BatchNorm1d(x.shape[1], affine=False)
    c = norm(x).t() @ norm(y) / len(x)
    on = (torch.diagonal(c) - 1).pow(2).sum()
    off = c.pow(2).sum() - torch.diagonal(c).pow(2).sum()
    return on + lam * off


def smooth_others(x, labels):
    target = torch.full_like(x, 0.1 / (x.shape[1] - 1)).scatter(1, labels[:, None], 0.9)
    return -(target * F.log_softmax(x, 1)).sum(1).mean()


def info_nce(x, y, t=0.1):
    s = F.normalize(x) @ F.normalize(y).t() / t
    own = torch.arange(len(x))
    return (F.cross_entropy(s, own) + F.cross_entropy(s.t(), own)) / 2


LOSSES = {
    "smooth_all": lambda i: F.cross_entropy(i["x"], i["labels"], label_smoothing=0.1),
    "smooth_others": lambda i: smooth_others(i["x"], i["labels"]),
    "triplet": lambda i: triplet(i["x"], i["labels"], 0.3),
    "triplet_soft": lambda i: triplet(i["x"], i["labels"], 0),
    "centre": lambda i: ((i["x"] - i["weight"][i["labels"]]) ** 2).sum(1).mean(),
    "supcon": lambda i: supcon(i["x"], i["labels"], 0.1),
    "infonce": lambda i: info_nce(i["x"], i["y"]),
    "barlow": lambda i: barlow(i["x"], i["y"]),
    "arcface": lambda i: margin(i["x"], i["weight"], i["labels"], m2=0.5),
    "cosface": lambda i: margin(i["x"], i["weight"], i["labels"], m3=0.4),
    "adaface": lambda i: adaface(i["x"], i["weight"], i["labels"]),
}


class Losses(unittest.TestCase):
    def test_all(self):
        for name, reference in LOSSES.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                torch.manual_seed(3)
                labels = torch.tensor([0, 1, 2, 3, 4, 5] * 4)
                inputs = {"x": 3 * torch.randn(24, 16), "y": torch.randn(24, 16), "labels": labels,
                          "weight": torch.randn(6 if name == "centre" else 8, 16)}
                write_safetensors(folder / "in", inputs)
                probe("loss", name, folder / "in", folder / "out")
                ours = read_safetensors(folder / "out")
                inputs["x"].requires_grad_(True)
                loss = reference(inputs)
                loss.backward()
                self.assertLess(abs(ours["loss"] - loss) / loss.abs(), 1e-5)
                gradient = inputs["x"].grad
                error = (ours["gradient"] - gradient).abs().max() / gradient.abs().max()
                self.assertLess(error, 1e-5)


class Draws(unittest.TestCase):
    def test_a_seed_gives_the_same(self):
        for seed in (0, 1, 123456789012):
            with tempfile.TemporaryDirectory() as folder:
                out = pathlib.Path(folder) / "out"
                probe("draws", seed, out)
                ours = read_safetensors(out)
                torch.manual_seed(seed)
                expected = {
                    "rand": torch.rand(37), "randn": torch.randn(5), "randn_long": torch.randn(40),
                    "randperm": torch.randperm(23), "uniform": torch.empty(3, 4).uniform_(-0.5, 2),
                    "normal": torch.empty(17).normal_(1, 3),
                    "bernoulli": torch.empty(64).bernoulli_(0.3),
                    "randint": torch.randint(0, 1000, (9,))}
                for name, value in expected.items():
                    self.assertTrue(torch.equal(ours[name].to(value.dtype), value), (seed, name))


class Checkpoints(unittest.TestCase):
    def read(self, content, section=""):
        with tempfile.TemporaryDirectory() as folder:
            file, out = pathlib.Path(folder) / "c.pth", pathlib.Path(folder) / "out"
            torch.save(content, file)
            probe("checkpoint", file, section, out)
            return read_safetensors(out)

    def test_state_dicts_and_what_stands_beside_them(self):
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        optimiser = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
        module(torch.randn(2, 3, 5, 5)).sum().backward()
        optimiser.step()
        state = module.state_dict()
        for content in (state, {"state_dict": state, "optimizer": optimiser.state_dict(), "epoch": 3},
                        {"model": state, "best": 0.5, "arch": "x"}):
            ours = self.read(content)
            self.assertEqual(set(ours), set(state))
            for name, value in state.items():
                self.assertTrue(torch.equal(ours[name], value), name)
        ours = self.read({"model": state, "ema": {"w": torch.ones(2)}}, "ema")
        self.assertTrue(torch.equal(ours["w"], torch.ones(2)))

    def test_views_types_and_shared_storages(self):
        base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
        content = {"base": base, "turned": base.t(), "part": base[1:3, 2:5], "half": base.half(),
                   "bf16": base.bfloat16(), "long": base.long(), "bool": base > 7,
                   "double": base.double(), "scalar": torch.tensor(2.5), "empty": torch.empty(0, 3),
                   "parameter": nn.Parameter(base.clone())}
        ours = self.read(content)
        for name, value in content.items():
            self.assertEqual(ours[name].dtype, value.dtype, name)
            self.assertTrue(torch.equal(ours[name], value), name)

    def test_other_classes_are_refused(self):
        for content in (nn.Linear(2, 3), {"w": torch.ones(2), "path": pathlib.Path("x")},
                        torch.ones(3)):
            with self.assertRaises(AssertionError):
                self.read(content)


if __name__ == "__main__":
    unittest.main()
