"""Every code point: what the tokenizer's tables say, and what huggingface's tokenizers do."""

import re
import unicodedata
import unittest

try:
    import models_common as common
    from tokenizers import normalizers, pre_tokenizers
except ImportError as missing:
    raise unittest.SkipTest(f"{missing} (make setup-dev installs what is compared with)") from missing

TABLES = (common.ROOT / "src/models/unicode_tables.inc").read_text(encoding="ascii")


def rows_of(name):
    return re.search(rf" {name}\[\] = {{(.*?)}};", TABLES, re.S)[1]


def members(name):
    codes = set()
    for first, last in re.findall(r"{0x(\w+),0x(\w+)}", rows_of(name)):
        codes.update(range(int(first, 16), int(last, 16) + 1))
    return codes


def folds():
    table = {int(a, 16): chr(int(b, 16))
             for a, b in re.findall(r"{0x(\w+),0x(\w+)}", rows_of("kFolded"))}
    for code, parts in re.findall(r"{0x(\w+),{([^}]*)}}", rows_of("kFoldedLong")):
        table[int(code, 16)] = "".join(chr(int(part, 16)) for part in parts.split(","))
    return table


def every_code():
    return (code for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000)


class Unicode(unittest.TestCase):
    def test_marks_and_lower_case(self):
        reference = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False,
                                               strip_accents=True, lowercase=True)
        marks, table = members("kMarks"), folds()
        wrong = []
        for code in every_code():
            if 0xAC00 <= code < 0xD7A4:  # by arithmetic
                wanted = unicodedata.normalize("NFD", chr(code))
            elif code < 0x80:
                wanted = chr(code).lower()
            else:
                wanted = "" if code in marks else table.get(code, chr(code))
            if reference.normalize_str(f"x{chr(code)}y") != f"x{wanted}y":
                wrong.append(hex(code))
        self.assertEqual(wrong, [])

    def test_control_characters(self):
        reference = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False,
                                               strip_accents=False, lowercase=False)
        control = members("kControl") - set(map(ord, "\t\n\r")) | {0xFFFD}
        wrong = [hex(code) for code in every_code()
                 if (reference.normalize_str(f"x{chr(code)}y") == "xy") != (code in control)]
        self.assertEqual(wrong, [])

    def test_punctuation(self):
        reference = pre_tokenizers.BertPreTokenizer()
        punctuation = {code for code in members("kPunctuation") if code >= 0x80}
        punctuation |= {code for code in range(0x21, 0x7F) if not chr(code).isalnum()}
        wrong = [hex(code) for code in every_code()
                 if (len(reference.pre_tokenize_str(f"x{chr(code)}y")) == 3)
                 != (code in punctuation)]
        self.assertEqual(wrong, [])

    def test_ideographs(self):
        reference = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=True,
                                               strip_accents=False, lowercase=False)
        source = (common.ROOT / "src/models/unicode.cpp").read_text(encoding="ascii")
        body = re.search(r"kBlocks\[\] = {(.*?)};", source, re.S)[1]
        blocks = set()
        for first, last in re.findall(r"{0x(\w+), 0x(\w+)}", body):
            blocks.update(range(int(first, 16), int(last, 16) + 1))
        wrong = [hex(code) for code in every_code()
                 if (reference.normalize_str(f"x{chr(code)}y") != f"x{chr(code)}y")
                 != (code in blocks)]
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
