# SPDX-License-Identifier: Apache-2.0
"""Cuts texts into words by llama.cpp's expressions for `tekken` and `gpt-4o` and writes them to `splits.json`.

    pip install regex
    python splits.py

The expressions are those of llama.cpp (src/llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_TEKKEN and _GPT4O), with
look-ahead, and Python's package `regex` evaluates them, so that nothing of the engine takes part.
"""
import json
import pathlib
import random

import regex

HERE = pathlib.Path(__file__).parent
START = r"[^\r\n\p{L}\p{N}]?"
SMALL = START + r"((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+"
CAPITAL = START + r"((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*"
CONTRACTION = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?"
REST = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
RULES = {
    "tekken": SMALL + "|" + CAPITAL + r"|\p{N}" + REST,
    "gpt-4o": SMALL + CONTRACTION + "|" + CAPITAL + CONTRACTION + r"|\p{N}{1,3}" + REST,
}
TEXTS = [
    "",
    " ",
    "a",
    "  a  b   c    d",
    "a\n\n  b\t\tc \n",
    "camelCase HTMLParser XMLHttpRequest iPhone McDonald's ABC abcDEFghi",
    "I'm you're HE'LL they've 'S 's 't DON'T can't'll o'clock",
    "'sx's''ll '",
    "3.14159 1234567890 12 ٣٤٥ ⅷ ½ 1,000,000 x2y 2nd",
    "fn main() { println!(\"{}\", x[0]); } // == != <= => ->\n/// doc\n\n//\n",
    "https://example.org/a?b=c&d=%20#e_f-g /usr/local//bin/\r\n/",
    "Größe Äpfel ÖL süß ẞ STRASSE Straße İi ﬁ Ａｂ ǅ ǆ",
    "Съешь ЖЕ ещё ЭТИХ мягкИх", "Ξεσκεπάζω ΤΗΝ ψυχοφθόρα",
    "日本語、中文。한국어 ひらカタ ١٢٣ नमस्ते दुनिया مرحبا שלום",
    "NFC é and NFD e\u0301E\u0301x \u0301a",
    "👩\u200d👩\u200d👧🏳️\u200d🌈 ☺️x 🫠Y",
    "\u0000\u0001\u0007\u001b[0m\u007f\u0085\u200b\ufeff\u2028\u2029 \u00a0 \u3000 x",
    "a/b//c\n/d /\r\n\r\n !!/\n/ ?\n",
    "tail   ", "tail \n  ", "\r\n \r\n", "\t x\ty",
]


def texts():
    """Returns the texts above, and many that nobody would write."""
    dice = random.Random(2)
    alphabet = list("aabcdestABST  .,'!?/\n\r\t0123<>|_▁") + list("éßÉ語日ñЖж🙂\u200d\u0301\u00a0٣")
    alphabet += ["the ", "  ", "    ", "'ll", "'S", "'Re", "ing", "\n\n", "fn ", "CamelCase"]
    return TEXTS + ["".join(dice.choices(alphabet, k=dice.randint(1, 60))) for _ in range(200)]


def words(rule, text):
    """Returns the matches and what is between them."""
    found, at = [], 0
    for match in regex.finditer(rule, text):
        found += [text[at : match.start()], match.group()]
        at = match.end()
    return [word for word in found + [text[at:]] if word]


if __name__ == "__main__":
    out = {"texts": texts()}
    out |= {name: [words(rule, text) for text in out["texts"]] for name, rule in RULES.items()}
    (HERE / "splits.json").write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n")
