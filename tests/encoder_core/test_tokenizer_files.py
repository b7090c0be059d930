"""Whatever the files of a tokenizer say is done as transformers does it, or refused with file and field."""

from __future__ import annotations

import copy
import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken as TheirToken
from tokenizers import Tokenizer

from encoder_core.pretrained import loading as L
from encoder_core.pretrained.checkpoints import CheckpointError
from encoder_core.text.added_tokens import AddedToken
from encoder_core.text.tokenizer import WordPiece

WORDS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "bank", "wave", "covid", "##19", "##s", "a", "b", "c",
    "cafe", "café", "Bank", "The", "[", "]", ".", ",", "!", "你", "好", "你好", "x", "##x", "e", "##1", "1", "9",
    "mask", "un", "##k", "unk", "##nown", "<", ">", "s", "pad", "cls",
]  # fmt: skip
TEXTS = [
    "the bank", "The [E1] bank.", "the[E1]bank", "  [E1]  bank", "covid19 covid19s the covid19 wave", "COVID19",
    "Café 你好 [MASK] [mask] [[MASK]] x", "a<E>b <e> [PAD][CLS] unknown unk", "x [E1][E1] [E1]s s[E1] , [E1]!", "",
    " ", "你好[E1]你好", "<s> a b </s> [UNK] <unk>", "zebra",
    "the [e1] bank", "<E> <e> CAFE café", "[cls] [Sep]",
]  # fmt: skip
CLASSES = [
    "BertTokenizer",
    "BertTokenizerFast",
    "DistilBertTokenizer",
    "PreTrainedTokenizerFast",
    "TokenizersBackend",
]

Edit = Callable[[dict[str, Any]], None]


def base() -> dict[str, Any]:
    """The files of a small tokenizer, all in agreement."""
    backend = transformers.BertTokenizer(vocab={word: i for i, word in enumerate(WORDS)})._tokenizer
    named = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
             "mask_token": "[MASK]"}  # fmt: skip
    return {
        "config.json": {"model_type": "bert"},
        "tokenizer.json": json.loads(backend.to_str()),
        "tokenizer_config.json": {
            "tokenizer_class": "BertTokenizer",
            "do_lower_case": True,
            **named,
        },
        "special_tokens_map.json": dict(named),
        "vocab.txt": "\n".join(WORDS) + "\n",
    }


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def compare(folder: Path) -> str:
    """Hold that ids, segments and offsets are those of AutoTokenizer, or that ours is refused."""
    try:
        ours = L.tokenizer_from_pretrained(folder)
    except (CheckpointError, FileNotFoundError):
        return "refused"
    theirs = transformers.AutoTokenizer.from_pretrained(str(folder))
    for text in TEXTS:
        expected = theirs(text, return_offsets_mapping=True, return_token_type_ids=True)
        encoding = ours.encode(text)
        assert encoding.ids == expected["input_ids"], (text, encoding.tokens)
        assert encoding.type_ids == expected["token_type_ids"]
        assert encoding.offsets == expected["offset_mapping"], text
        assert ours.encode(text, "the wave").ids == theirs(text, "the wave")["input_ids"]
    texts = [text for text in TEXTS if text.strip()]
    batch, expected = ours.batch(texts), theirs(texts, padding=True, return_tensors="pt")
    assert batch.ids.tolist() == expected["input_ids"].tolist()
    assert (~batch.padding_mask).long().tolist() == expected["attention_mask"].tolist()
    cut = ours.batch(texts, max_length=4)
    assert (
        cut.ids.tolist() == theirs(texts, padding=True, truncation=True, max_length=4)["input_ids"]
    )
    return "the same"


def added(content: str = "[E1]", number: int = len(WORDS), **flags: bool) -> dict[str, Any]:
    told = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    return {"id": number, "content": content, "special": True, **told, **flags}


def change(file: str, *path: str | int, to: Any) -> Edit:
    """An edit of one field of one file."""

    def edit(files: dict[str, Any]) -> None:
        place = files.setdefault(file, {})
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = to

    return edit


def drop(file: str, *path: str | int) -> Edit:
    def edit(files: dict[str, Any]) -> None:
        place = files if not path else files[file]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1] if path else file]

    return edit


def append(token: dict[str, Any]) -> Edit:
    return lambda files: files["tokenizer.json"]["added_tokens"].append(token)


def every(*edits: Edit) -> Edit:
    def edit(files: dict[str, Any]) -> None:
        for one in edits:
            one(files)

    return edit


T, C = "tokenizer.json", "tokenizer_config.json"
ALONE = every(drop("vocab.txt"), drop("special_tokens_map.json"))
NORMAL = "normalizer"


def rename(old: str, new: str, key: str) -> Edit:
    """A special token called otherwise, in every file."""

    def edit(files: dict[str, Any]) -> None:
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            text = text.replace(old, new)
            files[name] = text if isinstance(content, str) else json.loads(text)
        assert files[C][key] == new

    return edit


OBJECT = {
    "__type": "AddedToken",
    "content": "[E1]",
    "lstrip": True,
    "special": True,
} | dict.fromkeys(("rstrip", "normalized", "single_word"), False)

# What must be done, because it is plain what it means: the ids are those of transformers.
DONE: dict[str, Edit] = {
    "nothing": lambda files: None,
    "tokenizer.json alone": ALONE,
    "tokenizer.json and nothing else": every(ALONE, drop(C)),
    "vocab.txt alone": every(drop(T), drop(C), drop("special_tokens_map.json")),
    "vocab.txt and settings": drop(T),
    "old distilbert": every(change("config.json", "model_type", to="distilbert"), drop(T, "model", "type")),
    "no tokenizer_class": drop(C, "tokenizer_class"),
    "special": append(added()),
    "special, lstrip": append(added(lstrip=True)),
    "special, rstrip": append(added(rstrip=True)),
    "special, both": append(added(lstrip=True, rstrip=True)),
    "special, single_word": append(added(single_word=True)),
    "special, normalized": append(added(normalized=True)),
    "plain": append(added("covid19", special=False, normalized=True)),
    "plain, as written": append(added("covid19", special=False)),
    "plain, single word": append(added("covid19", special=False, normalized=True, single_word=True)),
    "plain, with capitals": append(added("COVID19", special=False, normalized=True)),
    "plain, accented": append(added("Café", special=False, normalized=True)),
    "plain, ideographs": append(added("你好", WORDS.index("你好"), special=False, normalized=True)),
    "plain, in the vocabulary": append(added("wave", WORDS.index("wave"), special=False)),
    "two": every(append(added()), append(added("[E1]s", len(WORDS) + 1, lstrip=True))),
    "added_tokens.json": change("added_tokens.json", "[E1]", to=len(WORDS)),
    "added_tokens.json, plain": change("added_tokens.json", "covid19", to=len(WORDS)),
    "added_tokens.json, vocab.txt": every(drop(T), change("added_tokens.json", "[E1]", to=len(WORDS))),
    "added_tokens.json, special": every(
        drop(T),
        change("added_tokens.json", "[E1]", to=len(WORDS)),
        change(C, "additional_special_tokens", to=["[E1]"]),
    ),
    "added_tokens.json, mask": every(
        lambda files: files.update({"vocab.txt": "\n".join(w for w in WORDS if w != "[MASK]") + "\n"}),
        drop(T),
        change("added_tokens.json", "[MASK]", to=len(WORDS) - 1),
    ),
    "additional_special_tokens": change(C, "additional_special_tokens", to=["[E1]", "<E>"]),
    "extra_special_tokens": change(C, "extra_special_tokens", to=["[E1]"]),
    "extra_special_tokens, named": change(C, "extra_special_tokens", to={"first_token": "[E1]"}),
    "additional in the old map": change("special_tokens_map.json", "additional_special_tokens", to=["[E1]"]),
    "a token of its own": change(C, "entity_token", to="[E1]"),
    "bos_token": change(C, "bos_token", to="<s>"),
    "mask with lstrip": every(
        drop(T),
        drop("special_tokens_map.json"),
        change(C, "mask_token", to={"__type": "AddedToken", "content": "[MASK]", "lstrip": True,
               "rstrip": False, "normalized": False, "single_word": False, "special": True}),
    ),
    "mask with lstrip in the old map": every(
        drop(T),
        change("special_tokens_map.json", "mask_token", to={"content": "[MASK]", "lstrip": True,
               "rstrip": False, "normalized": False, "single_word": False}),
    ),
    "mask with lstrip in the old map alone": every(
        drop(T), drop(C, "mask_token"),
        change("special_tokens_map.json", "mask_token", to={"content": "[MASK]", "lstrip": True,
               "rstrip": False, "normalized": True, "single_word": False}),
    ),
    "mask told twice": change("special_tokens_map.json", "mask_token", to={"content": "[MASK]", "lstrip": True,
               "rstrip": False, "normalized": False, "single_word": False}),
    "mask with little told": every(
        drop(T), drop("special_tokens_map.json"),
        change(C, "mask_token", to={"__type": "AddedToken", "content": "[MASK]", "lstrip": True}),
    ),
    "mask with little told in the old map": every(
        drop(T), change("special_tokens_map.json", "mask_token", to={"content": "[MASK]", "rstrip": True}),
    ),
    "extra with flags": every(
        change(C, "extra_special_tokens", to=[{"__type": "AddedToken", "content": "[E1]", "lstrip": True,
               "rstrip": False, "normalized": False, "single_word": False, "special": True}]),
    ),
    "extra with little told": change(C, "additional_special_tokens", to=[{"__type": "AddedToken", "content": "[E1]"}]),
    "extra with flags in the old map, new name": change("special_tokens_map.json", "extra_special_tokens",
        to=[{"content": "[E1]", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}]),
    "added_tokens_decoder": every(
        drop(T), change(C, "added_tokens_decoder", to={str(len(WORDS)): {
            k: v for k, v in added(lstrip=True).items() if k != "id"}}),
    ),
    "cased": every(change(C, "do_lower_case", to=False), change(T, NORMAL, "lowercase", to=False)),
    "cased, vocab.txt": every(drop(T), change(C, "do_lower_case", to=False)),
    "accents kept": every(change(C, "strip_accents", to=False), change(T, NORMAL, "strip_accents", to=False)),
    "accents kept, vocab.txt": every(drop(T), change(C, "strip_accents", to=False)),
    "accents as by default": change(T, NORMAL, "strip_accents", to=True),
    "cased, accents off": every(drop(T), change(C, "do_lower_case", to=False), change(C, "strip_accents", to=True)),
    "ideographs together": every(
        change(C, "tokenize_chinese_chars", to=False), change(T, NORMAL, "handle_chinese_chars", to=False)
    ),
    "ideographs together, vocab.txt": every(drop(T), change(C, "tokenize_chinese_chars", to=False)),
    "unk": rename("[UNK]", "<unk>", "unk_token"),
    "cls": rename("[CLS]", "<s>", "cls_token"),
    "sep": rename("[SEP]", "</s>", "sep_token"),
    "pad": rename("[PAD]", "<pad>", "pad_token"),
    "mask": rename("[MASK]", "<mask>", "mask_token"),
    "all renamed, vocab.txt": every(
        rename("[CLS]", "<s>", "cls_token"), rename("[SEP]", "</s>", "sep_token"),
        rename("[UNK]", "<unk>", "unk_token"), rename("[PAD]", "<pad>", "pad_token"), drop(T),
    ),
    "lengths": every(
        change(C, "model_max_length", to=3),
        change(T, "truncation", to={"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"}),
        change(T, "padding", to={"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None,
               "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}),
    ),
    "BertProcessing": change(
        T, "post_processor", to={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
    ),
    "no post-processor": change(T, "post_processor", to=None),
    "vocab.txt with Windows line ends": lambda files: files.update({"vocab.txt": "\r\n".join(WORDS) + "\r\n"}),
    "no mask in the vocabulary": every(
        lambda files: files.update({"vocab.txt": "\n".join(w for w in WORDS if w != "[MASK]") + "\n"}), drop(T)
    ),
}  # fmt: skip

# What is not done here or contradicts itself, and the file and field that the sentence names.
REFUSED: dict[str, tuple[Edit, str]] = {
    "lowercase differs": (change(T, NORMAL, "lowercase", to=False), "do_lower_case"),
    "lowercase by default differs": (
        every(drop(C, "do_lower_case"), change(T, NORMAL, "lowercase", to=False)),
        "says nothing, which means do_lower_case"),
    "accents differ": (change(T, NORMAL, "strip_accents", to=False), "strip_accents"),
    "ideographs differ": (change(T, NORMAL, "handle_chinese_chars", to=False), "tokenize_chinese_chars"),
    "no lowercase": (change(C, "do_lower_case", to=None), "do_lower_case"),
    "vocabularies differ": (lambda f: f.update({"vocab.txt": "\n".join(WORDS[::-1])}), "different vocabularies"),
    "vocab.txt longer": (lambda f: f.update({"vocab.txt": "\n".join([*WORDS, "more"])}), "'more' with the id"),
    "flags differ": (
        every(append(added()), change(C, "added_tokens_decoder", to={str(len(WORDS)): added(lstrip=True)})),
        "added_tokens_decoder are not the same"),
    "id differs": (append(added(number=99)), "has number=99"),
    "id of the vocabulary differs": (append(added("wave", number=99)), "'wave' has number=99"),
    "old id differs": (
        every(append(added()), change("added_tokens.json", "[E1]", to=99)), r"added_tokens\.json: \[E1\]"),
    "special by versions": (
        every(
            drop(T),
            change("added_tokens.json", "[E1]", to=len(WORDS)),
            change("special_tokens_map.json", "additional_special_tokens", to=["[E1]"]),
        ), r"'\[E1\]' is in added_tokens\.json and, in"),
    "special by a name of its own": (
        every(drop(T), change("added_tokens.json", "[E1]", to=len(WORDS)), change(C, "entity_token", to="[E1]")),
        r"'\[E1\]' is in added_tokens\.json and, in"),
    "extra tokens in two places": (
        every(change(C, "additional_special_tokens", to=["[E1]"]), change(C, "extra_special_tokens", to=["<E>"])),
        "additional_special_tokens and extra_special_tokens"),
    "an extra token with other flags": (
        every(append(added()), change(C, "extra_special_tokens", to=[OBJECT])), r"extra_special_tokens: \[E1\]"),
    "names differ": (change("special_tokens_map.json", "cls_token", to="<s>"), r"special_tokens_map\.json: cls_token"),
    "unk differs": (change(T, "model", "unk_token", to="<unk>"), r"model\.unk_token"),
    "prefix": (change(T, "model", "continuing_subword_prefix", to="@@"), "continuing_subword_prefix"),
    "longest word": (change(T, "model", "max_input_chars_per_word", to=3), "max_input_chars_per_word"),
    "BPE": (change(T, "model", "type", to="BPE"), "'BPE', not WordPiece"),
    "Unigram": (change(T, "model", "type", to="Unigram"), "'Unigram', not WordPiece"),
    "another normaliser": (change(T, NORMAL, to={"type": "Lowercase"}), "a BertNormalizer"),
    "no normaliser": (change(T, NORMAL, to=None), "a BertNormalizer"),
    "uncleaned": (change(T, NORMAL, "clean_text", to=False), "clean_text"),
    "another pre-tokenizer": (change(T, "pre_tokenizer", to={"type": "Whitespace"}), "a BertPreTokenizer"),
    "no pre-tokenizer": (change(T, "pre_tokenizer", to=None), "a BertPreTokenizer"),
    "segments": (change(T, "post_processor", "pair", 3, "Sequence", "type_id", to=0), "post_processor"),
    "no end": (lambda f: f[T]["post_processor"]["single"].pop(), "post_processor"),
    "another beginning": (
        change(T, "post_processor", to={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[PAD]", 0]}),
        "post_processor"),
    "decoder": (change(T, "decoder", to={"type": "ByteLevel"}), "decoder"),
    "left padding": (change(C, "padding_side", to="left"), "padding_side must be 'right'"),
    "left truncation": (change(C, "truncation_side", to="left"), "truncation_side must be 'right'"),
    "left padding in the block": (change(T, "padding", to={"direction": "Left"}), r"padding\.direction"),
    "left truncation in the block": (change(T, "truncation", to={"direction": "Left"}), r"truncation\.direction"),
    "another pad": (change(T, "padding", to={"pad_token": "[SEP]", "pad_id": 3}), r"padding\.pad_token"),
    "another pad id": (change(T, "padding", to={"pad_id": 7}), r"padding\.pad_id"),
    "pad segment": (change(C, "pad_token_type_id", to=1), "pad_token_type_id"),
    "never_split": (change(C, "never_split", to=["covid19"]), "never_split"),
    "spaces only": (change(C, "do_basic_tokenize", to=False), "do_basic_tokenize"),
    "special tokens cut": (change(C, "split_special_tokens", to=True), "split_special_tokens"),
    "Japanese": (change(C, "tokenizer_class", to="BertJapaneseTokenizer"), "tokenizer_class"),
    "byte pairs": (change(C, "tokenizer_class", to="RobertaTokenizer"), "tokenizer_class"),
    "generic without tokenizer.json": (
        every(change(C, "tokenizer_class", to="PreTrainedTokenizerFast"), drop(T)), "tokenizer_class"),
    "a RoBERTa's vocab.txt": (
        every(drop(T), drop(C), change("config.json", "model_type", to="roberta")), "tokenizer_class"),
    "code of its own": (change(C, "auto_map", to={"AutoTokenizer": ["x.T", None]}), "auto_map"),
    "a token that is none": (change(C, "cls_token", to=7), "cls_token"),
    "a token not in the vocabulary": (change(C, "cls_token", to="<cls>"), "special_tokens_map|<cls>"),
    "extra tokens that are none": (change(C, "additional_special_tokens", to="[E1]"), "additional_special_tokens"),
    "an unknown block": (change(T, "something", to={}), "something"),
    "no vocabulary": (drop(T, "model", "vocab"), r"model\.vocab"),
    "an id twice": (change(T, "model", "vocab", "wave", to=0), r"model\.vocab"),
    "an id that is none": (change(T, "model", "vocab", "wave", to="0"), r"model\.vocab"),
    "vocab.txt without a beginning": (
        every(drop(T), lambda f: f.update({"vocab.txt": "[PAD]\n[UNK]\n"})), r"no \[CLS\]"),
    "vocab.txt with a mark": (lambda f: f.update({"vocab.txt": "\ufeff" + "\n".join(WORDS)}), "byte-order mark"),
    "cut off": (lambda f: f.update({T: json.dumps(f[T])[:300]}), r"tokenizer\.json is not JSON"),
    "a list": (lambda f: f.update({C: "[]"}), r"tokenizer_config\.json must hold a JSON object"),
    "a list of names": (lambda f: f.update({"special_tokens_map.json": "[]"}), "special_tokens_map"),
    "a list of added tokens": (lambda f: f.update({"added_tokens.json": "[]"}), r"added_tokens\.json"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("name", DONE)
def test_what_files_say_is_done_as_transformers_does_it(
    name: str, kind: str, tmp_path: Path
) -> None:
    files = base()
    files[C]["tokenizer_class"] = kind
    DONE[name](files)
    done = compare(write(tmp_path, files))
    if kind.startswith(("Bert", "Distil")):  # the others need a tokenizer.json that says it all
        assert done == "the same"


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_done_is_refused_with_file_and_field(name: str, tmp_path: Path) -> None:
    files = base()
    edit, told = REFUSED[name]
    edit(files)
    write(tmp_path, files)
    with pytest.raises(CheckpointError, match=told):
        L.tokenizer_from_pretrained(tmp_path)


EDITS = DONE | {name: edit for name, (edit, _) in REFUSED.items()}


@settings(max_examples=150, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(EDITS)), min_size=2, max_size=3),
    kind=st.sampled_from(CLASSES),
)
def test_several_at_once_are_done_as_transformers_does_them_or_refused(
    names: list[str], kind: str
) -> None:
    files = base()
    files[C]["tokenizer_class"] = kind
    try:
        for name in names:
            EDITS[name](files)
    except (AssertionError, AttributeError, IndexError, KeyError, TypeError):
        return  # what the second would change the first took away
    with tempfile.TemporaryDirectory() as folder:
        assert compare(write(Path(folder), files)) in ("refused", "the same")


@pytest.mark.parametrize("name", DONE)
def test_what_transformers_saves_again_is_the_same(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    files = base()
    DONE[name](files)
    transformers.AutoTokenizer.from_pretrained(str(write(first, files))).save_pretrained(second)
    write(second, {"config.json": files["config.json"]})
    assert not (second / "vocab.txt").exists()
    assert compare(second) == "the same"


def test_a_tokenizer_of_the_tokenizers_library_saved_by_the_generic_class_loads(
    tmp_path: Path,
) -> None:
    backend = Tokenizer.from_str(json.dumps(base()[T]))
    backend.add_tokens([TheirToken("covid19", single_word=True), TheirToken("<E>", lstrip=True)])
    backend.add_special_tokens(["[E1]"])
    saved = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip
    saved.save_pretrained(tmp_path)
    write(tmp_path, {"config.json": {"model_type": "modernbert"}})
    assert compare(tmp_path) == "the same"


def test_a_setting_that_nobody_reads_is_told_and_no_known_one_is(tmp_path: Path) -> None:
    files = base()
    files[C]["my_setting"] = 1
    with pytest.warns(UserWarning, match=r"tokenizer_config\.json: my_setting: unknown"):
        L.tokenizer_from_pretrained(write(tmp_path, files))
    transformers.AutoTokenizer.from_pretrained(str(tmp_path)).save_pretrained(tmp_path)
    told = json.loads((tmp_path / C).read_text())
    write(tmp_path, {C: {key: value for key, value in told.items() if key != "my_setting"}})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        L.tokenizer_from_pretrained(tmp_path)


def test_without_any_file_of_a_tokenizer_it_is_not_found(tmp_path: Path) -> None:
    write(tmp_path, {"config.json": {"model_type": "roberta"}})
    with pytest.raises(FileNotFoundError, match=r"neither vocab\.txt nor tokenizer\.json"):
        L.tokenizer_from_pretrained(tmp_path)


def test_decode_leaves_out_special_tokens_and_no_other(tmp_path: Path) -> None:
    files = base()
    append(added())(files)
    append(added("covid19", len(WORDS) + 1, special=False))(files)
    ours = L.tokenizer_from_pretrained(write(tmp_path, files))
    ids = ours.encode("the [E1] covid19 [MASK]").ids
    assert ours.decode(ids) == "the covid19"
    assert ours.decode(ids, skip_special=False) == "[CLS] the [E1] covid19 [MASK] [SEP]"


_PARTS = st.sampled_from(
    [
        "[E1]",
        "[e1]",
        "E1",
        "<E>",
        " ",
        "  ",
        "\t",
        "\u3000",
        "a",
        "B",
        "_",
        "-",
        "é",
        "e\u0301",
        "你",
        "9",
        "ab",
        ".",
        "\x00",
    ]
)
_TOKEN = st.builds(
    added,
    content=st.sampled_from(["[E1]", "E1", "<E>", "ab", "é", "你", "a b", "B", "9", "-a"]),
    special=st.booleans(),
    single_word=st.booleans(),
    lstrip=st.booleans(),
    rstrip=st.booleans(),
    normalized=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(
    tokens=st.lists(_TOKEN, max_size=4, unique_by=lambda token: token["content"]),
    parts=st.lists(_PARTS, max_size=8),
    lowercase=st.booleans(),
)
def test_added_tokens_are_found_as_the_library_finds_them(
    tokens: list[dict[str, Any]], parts: list[str], lowercase: bool
) -> None:
    told = copy.deepcopy(base()[T])
    told["normalizer"]["lowercase"] = lowercase
    theirs = Tokenizer.from_str(json.dumps(told))
    ours: list[AddedToken] = []
    for token in tokens:
        flags = {name: value for name, value in token.items() if name not in ("id", "special")}
        add = theirs.add_special_tokens if token["special"] else theirs.add_tokens
        add([TheirToken(**flags, special=token["special"])])
        ours.append(AddedToken(**flags, special=token["special"]))
    specials = [AddedToken(name) for name in WordPiece.specials]
    tokenizer = WordPiece(
        {word: i for i, word in enumerate(WORDS)}, lowercase=lowercase, added=[*specials, *ours]
    )
    text = "".join(parts)
    expected, encoding = theirs.encode(text), tokenizer.encode(text)
    assert encoding.ids == expected.ids
    assert encoding.offsets == expected.offsets


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 99) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        keys: list[Any] = list(value)[:8]
    else:
        keys = list(range(len(value)))[:8] if isinstance(value, list) else []
    return found + [place for key in keys for place in _places(value[key], (*path, key))]


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_change_of_any_file_brings_another_error(tmp_path: Path, data: st.DataObject) -> None:
    files = base()
    append(added())(files)
    files[C]["added_tokens_decoder"] = {
        str(token["id"]): {k: v for k, v in token.items() if k != "id"}
        for token in files[T]["added_tokens"]
    }
    files[C]["additional_special_tokens"] = ["[E1]"]
    files["added_tokens.json"] = {"[E1]": len(WORDS)}
    file = data.draw(
        st.sampled_from(
            [name for name in files if name.endswith(".json") and name != "config.json"]
        )
    )
    if data.draw(st.booleans()):
        *steps, last = data.draw(st.sampled_from(_places(files[file])))
        place = files[file]
        for step in steps:
            place = place[step]
        place[last] = data.draw(_JSON)
    else:
        files[file] = data.draw(_JSON)
    try:
        tokenizer = L.tokenizer_from_pretrained(
            write(
                tmp_path,
                {n: json.dumps(c) if not n.endswith("txt") else c for n, c in files.items()},
            )
        )
    except CheckpointError as error:
        assert str(tmp_path) in str(error)  # noqa: PT017 - most changes are refused, not all
    else:
        assert tokenizer.encode("the wave").ids[0] == tokenizer.vocabulary["[CLS]"]
