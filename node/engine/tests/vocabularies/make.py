# SPDX-License-Identifier: Apache-2.0
"""Trains the two small vocabularies of this folder and writes them as GGUF files without tensors.
Then it writes llama.cpp's tokens of many texts with them to `golden.json`.

    pip install gguf llama-cpp-python sentencepiece tokenizers
    python make.py            (vocabularies and golden.json)
    python make.py golden     (golden.json for the existing vocabularies)

`pieces.gguf` has SentencePiece's byte-pair encoding, `words.gguf` GPT-2's byte-level one. Both are
trained on this repository's own text, so that nothing is downloaded. They serve only to compare this
engine's tokens with llama.cpp's.
"""
import io
import json
import pathlib
import random
import sys
import tempfile

import gguf
import sentencepiece
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[3]
OTHER = [
    "Der schnelle braune Fuchs springt über den faulen Hund. Größe, Äpfel, Öl, süß.",
    "Le cœur déçu mais l'âme plutôt naïve, Louÿs rêva de crapaüter en canoë au delà des îles.",
    "Съешь же ещё этих мягких французских булок да выпей чаю.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.",
    "いろはにほへと ちりぬるを わかよたれそ つねならむ。東京都、日本語、中文、한국어",
    "नमस्ते दुनिया। مرحبا بالعالم. שלום עולם",
    "Emoji: 🙂 🙃 👩‍👩‍👧 🇨🇭 ❤️ 🤖.",
]


def text():
    """Returns the lines that both vocabularies are trained on."""
    files = sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("node/engine/src/**/*.rs"))
    lines = [line for file in files for line in file.read_text().splitlines() if line.strip()]
    return lines + OTHER * 20


def header(name, model):
    """Returns a writer with the metadata that llama.cpp requires before it reads a vocabulary."""
    out = gguf.GGUFWriter(HERE / f"{name}.gguf", "llama")
    out.add_name(name)
    out.add_context_length(64)
    out.add_embedding_length(32)
    out.add_block_count(1)
    out.add_feed_forward_length(32)
    out.add_head_count(1)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_tokenizer_model(model)
    return out


def write(out, tokens, kinds):
    out.add_token_list(tokens)
    out.add_token_types(kinds)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.close()


def pieces(lines):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        model_type="bpe",
        vocab_size=1600,
        character_coverage=0.9995,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        split_digits=True,
        user_defined_symbols=["<think>", "</think>", "<tool>"],
        num_threads=1,
    )
    trained = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    tokens, scores, kinds = [], [], []
    for i in range(trained.vocab_size()):
        tokens.append(trained.id_to_piece(i))
        scores.append(trained.get_score(i))
        if trained.is_byte(i):
            kinds.append(gguf.TokenType.BYTE)
        elif trained.is_control(i):
            kinds.append(gguf.TokenType.CONTROL)
        elif trained.is_unknown(i):
            kinds.append(gguf.TokenType.UNKNOWN)
        elif tokens[-1] in ("<think>", "</think>", "<tool>"):
            kinds.append(gguf.TokenType.USER_DEFINED)
        else:
            kinds.append(gguf.TokenType.NORMAL)
    out = header("pieces", "llama")
    out.add_token_scores(scores)
    out.add_bos_token_id(trained.bos_id())
    out.add_eos_token_id(trained.eos_id())
    write(out, tokens, kinds)


def words(lines):
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1600, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(lines, trainer)
    trained = json.loads(tokenizer.to_str())["model"]
    tokens = [text for text, _ in sorted(trained["vocab"].items(), key=lambda item: item[1])]
    kinds = [gguf.TokenType.NORMAL] * len(tokens)
    # No merges make this word: only Llama 3's rule prefers whole words.
    extra = [("Ġquixotic", gguf.TokenType.NORMAL)]
    extra += [(t, gguf.TokenType.CONTROL) for t in ("<|begin|>", "<|end|>", "<|user|>")]
    extra += [(t, gguf.TokenType.USER_DEFINED) for t in ("<think>", "</think>", "    ", "think>x")]
    tokens += [text for text, _ in extra]
    kinds += [kind for _, kind in extra]
    merges = [" ".join(merge) if isinstance(merge, list) else merge for merge in trained["merges"]]
    out = header("words", "gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_merges(merges)
    out.add_bos_token_id(tokens.index("<|begin|>"))
    out.add_eos_token_id(tokens.index("<|end|>"))
    write(out, tokens, kinds)


PRE = ["llama-bpe", "qwen2", "gpt-2", "smollm", "default"]
TEXTS = OTHER + [
    "",
    " ",
    "a",
    " a",
    "  a  b   c    d",
    "\n",
    "\r\n\r\n",
    "a\n\n  b\t\tc \n",
    " \u00a0 \u3000 ",
    "I'm you're HE'LL they've 'S 's 't",
    "3.14159 1234567890 12 ٣٤٥ ⅷ ½ 1,000,000",
    "fn main() { println!(\"{}\", x[0]); } // == != <= => ->",
    "https://example.org/a?b=c&d=%20#e_f-g",
    "a quixotic quixotic, quixotic",
    "<think>yes</think> no<tool>x<think>x think>x    y",
    "NFC é and NFD e\u0301, ﬁ, Ａ, ẞ, İi, ﷺ",
    "\u0000\u0001\u0007\u001b[0m\u007f\u0085\u200b\u200d\ufeff\u2028\u2029",
    "👩‍👩‍👧‍👦🏳️‍🌈🇨🇭🇨🇭 ☺️ ☺ 🫠",
    "ab" * 40 + "▁" + "_" * 10,
    "=" * 80 + "\n" + "-" * 7 + " " * 33 + "|",
]


def texts():
    """Returns the texts above, and many that nobody would write."""
    dice = random.Random(1)
    alphabet = list("aabcdeest  .,'!?\n\r\t0123<>|_▁") + list("éß語日ñЖ🙂\u200d\u0301\u00a0٣")
    alphabet += ["the ", "  ", "    ", "<think>", "'ll", "ing", "\n\n", "fn "]
    made = ["".join(dice.choices(alphabet, k=dice.randint(1, 60))) for _ in range(150)]
    return TEXTS + made


def golden():
    from llama_cpp import Llama

    def tokens(path):
        model = Llama(str(path), vocab_only=True, verbose=False)
        return [model.tokenize(text.encode(), add_bos=True, special=False) for text in texts()]

    out = {"texts": texts(), "pieces": tokens(HERE / "pieces.gguf")}
    with tempfile.TemporaryDirectory() as folder:
        for pre in PRE:
            path = pathlib.Path(folder) / "words.gguf"
            path.write_bytes(renamed((HERE / "words.gguf").read_bytes(), pre))
            out[pre] = tokens(path)
    (HERE / "golden.json").write_text(json.dumps(out, ensure_ascii=True, separators=(",", ":")) + "\n")


def renamed(file, pre):
    """Returns the file with another pre-tokenizer; there are no tensors whose places would change."""
    key = b"tokenizer.ggml.pre"
    at = file.index(key) + len(key) + 4
    length = int.from_bytes(file[at : at + 8], "little")
    value = len(pre).to_bytes(8, "little") + pre.encode()
    return file[:at] + value + file[at + 8 + length :]


if __name__ == "__main__":
    if sys.argv[1:] != ["golden"]:
        lines = text()
        pieces(lines)
        words(lines)
    golden()
