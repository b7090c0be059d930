"""Wrong answers that are listed nowhere, as people write them: none passes, and each is told what is wrong."""

import pytest

from tests import unseen

pytestmark = pytest.mark.slow

UNSEEN = {
    "embeddings.build_vocabulary": {
        "most_common": """\
def build_vocabulary(texts, size):
    counts = Counter(re.findall(r"\\w+", " ".join(texts).lower()))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [w for w, _ in counts.most_common(size - 5)]
    return {t: i for i, t in enumerate(tokens)}
""",
        "minus6": """\
def build_vocabulary(texts, size):
    counts = Counter(w for t in texts for w in re.findall(r"\\w+", t.lower()))
    words = sorted(counts, key=lambda w: (-counts[w], w))[: max(size - 6, 0)]
    return {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])}
""",
        "last_text": """\
def build_vocabulary(texts, size):
    for t in texts:
        counts = Counter(re.findall(r"\\w+", t.lower()))
    words = sorted(counts, key=lambda w: (-counts[w], w))[: size - 5]
    return {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])}
""",
        "counts": """\
def build_vocabulary(texts, size):
    counts = Counter(w for t in texts for w in re.findall(r"\\w+", t.lower()))
    v = dict(zip(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], range(5)))
    for w in sorted(counts, key=lambda w: (-counts[w], w))[: size - 5]:
        v[w] = counts[w]
    return v
""",
        "ascii_digits": """\
def build_vocabulary(texts, size):
    counts = Counter(w for t in texts for w in re.findall(r"[a-z0-9]+", t.lower()))
    words = sorted(counts, key=lambda w: (-counts[w], w))[: size - 5]
    return {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])}
""",
        "word_boundary": """\
def build_vocabulary(texts, size):
    counts = Counter(w for t in texts for w in re.split(r"\\W+", t.lower()))
    words = sorted(counts, key=lambda w: (-counts[w], w))[: size - 5]
    return {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])}
""",
        "negative_slice": """\
def build_vocabulary(texts, size):
    counts = Counter(w for t in texts for w in re.findall(r"\\w+", t.lower()))
    words = sorted(counts, key=lambda w: (-counts[w], w))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    return {tokens[i]: i for i in range(size)}
""",
        "by_length": """\
def build_vocabulary(texts, size):
    counts = Counter(w for t in texts for w in re.findall(r"\\w+", t.lower()))
    words = sorted(counts, key=lambda w: (-counts[w], len(w), w))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words][:size]
    return {t: i for i, t in enumerate(tokens)}
""",
    },
    "embeddings.wordpiece": {
        "backtrack": """\
def wordpiece(word, vocabulary):
    def cut(s):
        if s == len(word): return []
        for e in range(len(word), s, -1):
            p = word[s:e] if s == 0 else "##" + word[s:e]
            if p in vocabulary:
                rest = cut(e)
                if rest is not None: return [p] + rest
        return None
    r = cut(0)
    return ["[UNK]"] if r is None else r
""",
        "break_only": """\
def wordpiece(word, vocabulary):
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s, -1):
            p = word[s:e] if s == 0 else "##" + word[s:e]
            if p in vocabulary:
                out.append(p); s = e; break
        else:
            break
    return out or ["[UNK]"]
""",
        "no_single": """\
def wordpiece(word, vocabulary):
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s + 1, -1):
            p = word[s:e] if s == 0 else "##" + word[s:e]
            if p in vocabulary:
                out.append(p); s = e; break
        else:
            return ["[UNK]"]
    return out
""",
        "infinite": """\
def wordpiece(word, vocabulary):
    out, s = [], 0
    while s < len(word):
        e = len(word)
        while e > s:
            p = word[s:e] if s == 0 else "##" + word[s:e]
            if p in vocabulary:
                out.append(p)
                break
            e -= 1
        s = e
    return out
""",
        "recursive_hash": """\
def wordpiece(word, vocabulary):
    for e in range(len(word), 0, -1):
        if word[:e] in vocabulary:
            if e == len(word): return [word[:e]]
            rest = wordpiece("##" + word[e:], vocabulary)
            return [word[:e]] + rest
    return ["[UNK]"]
""",
        "max_len_hash": """\
def wordpiece(word, vocabulary):
    out, rest, mark = [], word, ""
    while rest:
        fit = [v for v in vocabulary if rest.startswith(v.removeprefix("##"))]
        if not fit: return ["[UNK]"]
        p = max(fit, key=len)
        out.append(p); rest = rest[len(p.removeprefix("##")):]
    return out
""",
        "vocab_add": """\
def wordpiece(word, vocabulary):
    vocabulary.add("[UNK]")
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s, -1):
            p = word[s:e] if s == 0 else "##" + word[s:e]
            if p in vocabulary:
                out.append(p); s = e; break
        else:
            return ["[UNK]"]
    return out
""",
        "max_word": """\
def wordpiece(word, vocabulary):
    if len(word) > 10: return ["[UNK]"]
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s, -1):
            p = word[s:e] if s == 0 else "##" + word[s:e]
            if p in vocabulary:
                out.append(p); s = e; break
        else:
            return ["[UNK]"]
    return out
""",
    },
    "embeddings.pad_batch": {
        "left_ids": """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.tensor([[pad_id] * (n - len(s)) + s for s in sequences], dtype=torch.long)
    mask = torch.tensor([[False] * len(s) + [True] * (n - len(s)) for s in sequences], dtype=torch.bool)
    return ids, mask
""",
        "ne": """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences], dtype=torch.long)
    return ids, ids != pad_id
""",
        "attention_mask": """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences], dtype=torch.long)
    mask = torch.tensor([[1] * len(s) + [0] * (n - len(s)) for s in sequences])
    return ids, mask
""",
        "no_dtype": """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences])
    mask = torch.tensor([[False] * len(s) + [True] * (n - len(s)) for s in sequences])
    return ids, mask
""",
        "pad_sequence_default": """\
def pad_batch(sequences, pad_id):
    ids = nn.utils.rnn.pad_sequence([torch.tensor(s) for s in sequences], batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(s) for s in sequences])
    return ids, torch.arange(ids.shape[1])[None] >= lengths[:, None]
""",
        "first_len": """\
def pad_batch(sequences, pad_id):
    n = len(sequences[0])
    ids = torch.full((len(sequences), n), pad_id)
    mask = torch.ones(len(sequences), n, dtype=torch.bool)
    for i, s in enumerate(sequences):
        ids[i, :len(s)] = torch.tensor(s[:n])
        mask[i, :len(s)] = False
    return ids, mask
""",
        "longest_str": """\
def pad_batch(sequences, pad_id):
    n = len(max(sequences))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences], dtype=torch.long)
    mask = torch.tensor([[False] * len(s) + [True] * (n - len(s)) for s in sequences], dtype=torch.bool)
    return ids, mask
""",
        "neg_slice": """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.full((len(sequences), n), pad_id)
    mask = torch.zeros(len(sequences), n, dtype=torch.bool)
    for i, s in enumerate(sequences):
        ids[i, :len(s)] = torch.tensor(s, dtype=torch.long)
        mask[i, len(s) - n:] = True
    return ids, mask
""",
    },
    "embeddings.lookup": {
        "transposed": """\
def lookup(weight, ids):
    return weight.T[ids]
""",
        "nn_embedding": """\
def lookup(weight, ids):
    table = nn.Embedding(*weight.shape)
    return table(ids)
""",
        "nn_embedding_weight": """\
def lookup(weight, ids):
    table = nn.Embedding(*weight.shape)
    table.weight = nn.Parameter(weight)
    return table(ids)
""",
        "one_hot_count": """\
def lookup(weight, ids):
    return F.one_hot(ids, weight.shape[1]).to(weight.dtype) @ weight
""",
        "gather": """\
def lookup(weight, ids):
    return torch.gather(weight, 0, ids)
""",
        "take": """\
def lookup(weight, ids):
    return torch.take(weight, ids)
""",
        "view_swapped": """\
def lookup(weight, ids):
    B, S = ids.shape
    return weight[ids.flatten()].view(S, B, -1).transpose(0, 1)
""",
        "loop_float": """\
def lookup(weight, ids):
    out = torch.zeros(ids.shape[0], ids.shape[1], weight.shape[1])
    for b in range(ids.shape[0]):
        for s in range(ids.shape[1]):
            out[b, s] = weight[ids[b, s]]
    return out
""",
    },
    "embeddings.cosine_similarity": {
        "eps_big": """\
def cosine_similarity(a, b):
    return a @ b.T / (a.norm(dim=-1, keepdim=True) * b.norm(dim=-1) + 1e-8)
""",
        "library_eps": """\
def cosine_similarity(a, b):
    return F.cosine_similarity(a[:, None], b[None], dim=-1, eps=1e-4)
""",
        "sqrt_missing_b": """\
def cosine_similarity(a, b):
    la = (a * a).sum(-1, keepdim=True).sqrt().clamp(min=1e-12)
    lb = (b * b).sum(-1).clamp(min=1e-12)
    return a @ b.T / la / lb
""",
        "nan_to_one": """\
def cosine_similarity(a, b):
    return torch.nan_to_num(a @ b.T / (a.norm(dim=-1)[:, None] * b.norm(dim=-1)), nan=1.0)
""",
        "loop_square": """\
def cosine_similarity(a, b):
    out = a.new_zeros(len(a), len(a))
    for i in range(len(a)):
        for j in range(len(a)):
            out[i, j] = F.cosine_similarity(a[i], b[j], dim=0)
    return out
""",
        "max_one": """\
def cosine_similarity(a, b):
    a = a / a.norm(dim=-1, keepdim=True).clamp(min=1.0)
    b = b / b.norm(dim=-1, keepdim=True).clamp(min=1.0)
    return a @ b.T
""",
        "where_a_only": """\
def cosine_similarity(a, b):
    la = a.norm(dim=-1, keepdim=True)
    la = torch.where(la == 0, 1, la)
    return a @ b.T / la / b.norm(dim=-1)
""",
        "sq": """\
def cosine_similarity(a, b):
    return (F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T) ** 2
""",
    },
    "embeddings.sinusoidal_positions": {
        "loop_2i_same": """\
def sinusoidal_positions(length, d_model):
    pe = torch.zeros(length, d_model)
    for p in range(length):
        for i in range(0, d_model, 2):
            pe[p, i] = math.sin(p / 10000 ** (2 * i / d_model))
            if i + 1 < d_model:
                pe[p, i + 1] = math.cos(p / 10000 ** (2 * i / d_model))
    return pe
""",
        "log10": """\
def sinusoidal_positions(length, d_model):
    pe = torch.zeros(length, d_model)
    p = torch.arange(length)[:, None]
    div = torch.exp(torch.arange(0, d_model, 2) * (-math.log10(10000.0) / d_model))
    pe[:, 0::2] = torch.sin(p * div)
    pe[:, 1::2] = torch.cos(p * div)[:, : d_model // 2]
    return pe
""",
        "dminus": """\
def sinusoidal_positions(length, d_model):
    p = torch.arange(length)[:, None]
    c = torch.arange(d_model)
    a = p / 10000 ** (2 * (c // 2) / (d_model - 1))
    return torch.where(c % 2 == 0, a.sin(), a.cos())
""",
        "odd_zero": """\
def sinusoidal_positions(length, d_model):
    pe = torch.zeros(length, d_model)
    p = torch.arange(length)[:, None]
    half = d_model // 2
    div = torch.exp(torch.arange(half) * 2 * (-math.log(10000.0) / d_model))
    pe[:, 0:2*half:2] = torch.sin(p * div)
    pe[:, 1::2] = torch.cos(p * div)
    return pe
""",
        "parity_of_place": """\
def sinusoidal_positions(length, d_model):
    p = torch.arange(length)[:, None]
    c = torch.arange(d_model)
    a = p / 10000 ** (2 * (c // 2) / d_model)
    return torch.where(p % 2 == 0, a.sin(), a.cos())
""",
        "precedence": """\
def sinusoidal_positions(length, d_model):
    p = torch.arange(length)[:, None]
    c = torch.arange(d_model)
    a = p / 10000 ** (2 * (c // 2)) / d_model
    return torch.where(c % 2 == 0, a.sin(), a.cos())
""",
        "float64": """\
def sinusoidal_positions(length, d_model):
    import numpy as np
    pe = np.zeros((length, d_model))
    for p in range(length):
        for c in range(d_model):
            a = p / 10000 ** (2 * (c // 2) / d_model)
            pe[p, c] = math.sin(a) if c % 2 == 0 else math.cos(a)
    return torch.from_numpy(pe)
""",
        "normalised_length": """\
def sinusoidal_positions(length, d_model):
    p = torch.linspace(0, 1, length)[:, None]
    c = torch.arange(d_model)
    a = p / 10000 ** (2 * (c // 2) / d_model)
    return torch.where(c % 2 == 0, a.sin(), a.cos())
""",
    },
    "embeddings.rotary": {
        "rotate_half": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.to(dt)[..., None] * f
    t = torch.cat([t, t], -1)
    a, b = x.chunk(2, -1)
    return (x * t.cos() + torch.cat([-b, a], -1) * t.sin()).to(x.dtype)
""",
        "sequential": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.to(dt)[..., None] * f
    y = x.to(dt).clone()
    y[..., ::2] = y[..., ::2] * t.cos() - y[..., 1::2] * t.sin()
    y[..., 1::2] = y[..., ::2] * t.sin() + y[..., 1::2] * t.cos()
    return y.to(x.dtype)
""",
        "unsqueeze1": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.to(dt).reshape(-1, 1) * f
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * t.cos() - b * t.sin(), a * t.sin() + b * t.cos()], -1).flatten(-2).to(x.dtype)
""",
        "long_positions": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.long()[..., None] * f
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * t.cos() - b * t.sin(), a * t.sin() + b * t.cos()], -1).flatten(-2).to(x.dtype)
""",
        "inplace": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.to(dt)[..., None] * f
    a, b = x[..., ::2].clone(), x[..., 1::2].clone()
    x[..., ::2] = a * t.cos() - b * t.sin()
    x[..., 1::2] = a * t.sin() + b * t.cos()
    return x
""",
        "added": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.to(dt)[..., None] * f
    return (x + torch.stack([t.sin(), t.cos()], -1).flatten(-2)).to(x.dtype)
""",
        "double_angle_repeat": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = (positions.to(dt)[..., None] * f).repeat(*[1] * positions.dim(), 2)
    turned = torch.stack([-x[..., 1::2], x[..., ::2]], -1).flatten(-2)
    return (x * t.cos() + turned * t.sin()).to(x.dtype)
""",
        "complex_conj": """\
def rotary(x, positions, base=10000.0):
    dt = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    f = base ** -(torch.arange(0, d, 2, dtype=dt, device=x.device) / d)
    t = positions.to(dt)[..., None] * f
    z = torch.view_as_complex(x.to(dt).reshape(*x.shape[:-1], d // 2, 2).contiguous())
    return torch.view_as_real(z * torch.polar(torch.ones_like(t), -t)).flatten(-2).to(x.dtype)
""",
    },
}

# The mistakes that are named.
NAMED = {
    "embeddings.build_vocabulary": {
        "most_common": "ties-as-they-come",
        "minus6": "one-word-too-few",
        "counts": "frequencies-of-words-as-numbers",
        "ascii_digits": "letters-and-digits-without-the-underscore",
        "word_boundary": "an-empty-word",
        "by_length": "ties-by-length",
    },
    "embeddings.wordpiece": {
        "backtrack": "backtracks",
        "break_only": "stops-at-the-unknown-unless-it-comes-first",
        "no_single": "never-a-single-letter",
        "recursive_hash": "keeps-what-it-found",
    },
    "embeddings.pad_batch": {
        "left_ids": "ids-on-the-left",
        "ne": "mask-from-the-ids-turned-round",
        "no_dtype": "floating-when-empty",
        "pad_sequence_default": "floating-when-the-first-is-empty",
        "first_len": "as-wide-as-the-first",
        "neg_slice": "longest-blocked-whole",
    },
    "embeddings.lookup": {
        "transposed": "table-turned",
        "nn_embedding_weight": "a-parameter-of-its-own",
        "one_hot_count": "one-hot-as-long-as-the-vectors",
        "gather": "one-number-a-token",
        "take": "numbers-of-the-flat-table",
    },
    "embeddings.cosine_similarity": {
        "eps_big": "epsilon-added-to-the-product",
        "sqrt_missing_b": "squared-length-of-b",
        "nan_to_one": "zero-like-everything",
        "max_one": "length-at-least-one",
        "where_a_only": "one-zero-side-forgotten",
        "sq": "squared",
    },
    "embeddings.sinusoidal_positions": {
        "loop_2i_same": "twice-the-exponent",
        "log10": "logarithm-to-base-10",
        "dminus": "width-minus-one",
        "odd_zero": "last-sine-missing",
        "parity_of_place": "parity-of-the-position",
        "precedence": "power-before-division",
        "float64": "computed-in-double-precision",
        "normalised_length": "positions-from-0-to-1",
    },
    "embeddings.rotary": {
        "rotate_half": "half-with-half",
        "unsqueeze1": "positions-of-one-axis",
        "long_positions": "positions-made-whole",
        "added": "added-not-turned",
        "double_angle_repeat": "angles-laid-out-for-halves",
        "complex_conj": "the-other-way-round",
    },
}

# Where no mistake is named: words that have to be in what is said.
SAID = {
    "embeddings.build_vocabulary": {
        "last_text": "Only the last text counts",
        "negative_slice": "IndexError: list index out of range (line",
    },
    "embeddings.wordpiece": {
        "infinite": "is there a loop whose condition never becomes false?",
        "max_len_hash": "'play' is expected, and '##play' came",
        "vocab_add": "changes its inputs",
        "max_word": "right except with words of more than ten letters",
    },
    "embeddings.pad_batch": {
        "attention_mask": "as Hugging Face's attention_mask does",
        "longest_str": "expected sequence of length 4 at dim 1 (got 3) (line",
    },
    "embeddings.lookup": {
        "nn_embedding": "another result each time",
        "view_swapped": "in the wrong places",
        "loop_float": "dtype of the result is float32 and should be float64",
    },
    "embeddings.cosine_similarity": {
        "library_eps": "the number that guards against a length of 0 too large",
        "loop_square": "right with as many in a as in b",
    },
    "embeddings.sinusoidal_positions": {},
    "embeddings.rotary": {
        "sequential": "computed with the new first number",
        "inplace": "changes its inputs",
    },
}

ALL = [(exercise, name) for exercise, sources in UNSEEN.items() for name in sources]


@pytest.mark.parametrize(("exercise_id", "name"), ALL, ids=[f"{e}-{n}" for e, n in ALL])
def test_it_does_not_pass_and_is_told_what_is_wrong(exercise_id, name, monkeypatch):
    unseen.quickly(monkeypatch)
    named, said = NAMED[exercise_id].get(name), SAID[exercise_id].get(name)
    unseen.assert_told(exercise_id, UNSEEN[exercise_id][name], named, said)


RIGHT_AFTER_ALL = {
    # NaN comes from zero vectors alone here, and no gradient is asked for there.
    "embeddings.cosine_similarity": """\
def cosine_similarity(a, b):
    return torch.nan_to_num(a @ b.T / (a.norm(dim=-1)[:, None] * b.norm(dim=-1)))
""",
    # float32 is the default dtype.
    "embeddings.sinusoidal_positions": """\
def sinusoidal_positions(length, d_model):
    p = torch.arange(length, dtype=torch.float32)[:, None]
    c = torch.arange(d_model, dtype=torch.float32)
    a = p / 10000 ** (2 * (c // 2) / d_model)
    return torch.where(c % 2 == 0, a.sin(), a.cos())
""",
}


@pytest.mark.parametrize("exercise_id", RIGHT_AFTER_ALL)
def test_what_only_looks_wrong_passes(exercise_id):
    report = unseen.judged(exercise_id, RIGHT_AFTER_ALL[exercise_id])
    assert report.passed, report.message
