"""Slips of people who know the subject, in chapter 01: none passes, and each is told for what it is."""

import pytest

from tests import unseen

pytestmark = pytest.mark.slow

# Exercise, name, source, and the one mistake that is named or else words that have to be in what is said.
SLIPS = [
    (
        "embeddings.build_vocabulary",
        "specials_extra",
        """\
def build_vocabulary(texts, size):
    words = re.findall(r"\\w+", " ".join(texts).lower())
    counts = Counter(words)
    ordered = sorted(counts, key=lambda w: (-counts[w], w))[:size]
    return {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + ordered)}
""",
        "specials-not-counted",
        None,
    ),
    (
        "embeddings.build_vocabulary",
        "offset_lost",
        """\
def build_vocabulary(texts, size):
    vocab = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
    counts = Counter(w for t in texts for w in re.findall(r"\\w+", t.lower()))
    for i, w in enumerate(sorted(counts, key=lambda w: (-counts[w], w))[: size - 5]):
        vocab[w] = i + 4
    return vocab
""",
        None,
        "'the' should have 5 and has 4",
    ),
    (
        "embeddings.build_vocabulary",
        "nolower",
        """\
def build_vocabulary(texts, size):
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    counts = Counter()
    for t in texts:
        counts.update(re.findall(r"\\w+", t))
    vocab += sorted(counts, key=lambda w: (-counts[w], w.lower()))
    return dict(zip(vocab[:size], range(size)))
""",
        None,
        "With capitals: 'dog' should be in it and is not",
    ),
    (
        "embeddings.wordpiece",
        "for_else",
        """\
def wordpiece(word, vocabulary):
    pieces = []
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
        else:
            return ["[UNK]"]
    return pieces
""",
        "never-the-last-letter",
        None,
    ),
    (
        "embeddings.wordpiece",
        "start_len",
        """\
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            cand = ("##" if start else "") + word[start:end]
            if cand in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(cand)
        start += len(cand)
    return pieces
""",
        "mark-counted",
        None,
    ),
    (
        "embeddings.wordpiece",
        "infinite",
        """\
def wordpiece(word, vocabulary):
    pieces = []
    start = 0
    while start < len(word):
        end = len(word)
        while start < end:
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
            end -= 1
    return pieces
""",
        None,
        "is there a loop whose condition never becomes false",
    ),
    (
        "embeddings.wordpiece",
        "keep_hash_first",
        """\
def wordpiece(word, vocabulary):
    pieces = []
    while word:
        for end in range(len(word), 0, -1):
            piece = ("##" if pieces else "") + word[:end]
            if piece in vocabulary:
                pieces.append(piece)
                word = word[end:]
                break
        else:
            pieces.append("[UNK]")
            break
    return pieces
""",
        "keeps-what-it-found",
        None,
    ),
    (
        "embeddings.pad_batch",
        "order",
        """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences], dtype=torch.long).reshape(-1, n)
    mask = torch.arange(n) >= torch.tensor([len(s) for s in sequences]).unsqueeze(1)
    return mask, ids
""",
        None,
        "The two results are exchanged",
    ),
    (
        "embeddings.pad_batch",
        "dict",
        """\
def pad_batch(sequences, pad_id):
    n = max(map(len, sequences))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences], dtype=torch.long).reshape(-1, n)
    return {"ids": ids, "mask": ids == pad_id}
""",
        None,
        "It returns a dict; asked are 2 results: ids, mask",
    ),
    (
        "embeddings.pad_batch",
        "minlen1",
        """\
def pad_batch(sequences, pad_id):
    n = max(1, max(map(len, sequences)))
    ids = torch.tensor([s + [pad_id] * (n - len(s)) for s in sequences], dtype=torch.long)
    mask = torch.arange(n) >= torch.tensor([len(s) for s in sequences]).unsqueeze(1)
    return ids, mask
""",
        None,
        "It is right except with nothing but empty sequences",
    ),
    (
        "embeddings.lookup",
        "transposed",
        """\
def lookup(weight, ids):
    return torch.stack([weight[row] for row in ids.T])
""",
        "tokens-first",
        None,
    ),
    (
        "embeddings.cosine_similarity",
        "self_norm",
        """\
def cosine_similarity(a, b):
    a = F.normalize(a)
    return a @ b.T / b.norm()
""",
        None,
        "Each vector of b alone gets the right similarity",
    ),
    (
        "embeddings.cosine_similarity",
        "rounded",
        """\
def cosine_similarity(a, b):
    a = F.normalize(a, dim=-1)
    b = F.normalize(b, dim=-1)
    return (a @ b.T).clamp(-0.999, 0.999)
""",
        None,
        "get 0.999, 0.500, 0.000, -0.500, -0.999",
    ),
    (
        "embeddings.cosine_similarity",
        "nan_all",
        """\
def cosine_similarity(a, b):
    s = (a @ b.T) / (a.norm(dim=1, keepdim=True) * b.norm(dim=1))
    if s.isnan().any():
        return torch.zeros_like(s)
    return s
""",
        None,
        "Where it fails there is always zero vectors",
    ),
    (
        "embeddings.cosine_similarity",
        "reshape_t",
        """\
def cosine_similarity(a, b):
    a = F.normalize(a, dim=-1)
    b = F.normalize(b, dim=-1)
    return a @ b.reshape(b.shape[1], b.shape[0])
""",
        None,
        "get 1.00, 0.00, 0.50, 0.87, 0.00",
    ),
    (
        "embeddings.sinusoidal_positions",
        "plus_exponent",
        """\
def sinusoidal_positions(length, d_model):
    pos = torch.arange(length).unsqueeze(1)
    div = torch.exp(torch.arange(0, d_model, 2) * (math.log(10000.0) / d_model))
    a = pos * div
    return torch.stack([a.sin(), a.cos()], -1).flatten(1)[:, :d_model]
""",
        None,
        "the waves get faster from pair to pair",
    ),
    (
        "embeddings.sinusoidal_positions",
        "log2",
        """\
def sinusoidal_positions(length, d_model):
    pos = torch.arange(length).unsqueeze(1)
    div = torch.exp(torch.arange(0, d_model, 2) * -(math.log2(10000.0) / d_model))
    a = pos * div
    return torch.stack([a.sin(), a.cos()], -1).flatten(1)[:, :d_model]
""",
        None,
        "the angles of the columns grow by (1, 1, 0.0361",
    ),
    (
        "embeddings.sinusoidal_positions",
        "intdiv",
        """\
def sinusoidal_positions(length, d_model):
    pe = torch.zeros(length, d_model)
    for p in range(length):
        for c in range(d_model):
            angle = p / 10000 ** (2 * (c // 2) // d_model)
            pe[p, c] = math.sin(angle) if c % 2 == 0 else math.cos(angle)
    return pe
""",
        "no-slower-waves",
        None,
    ),
    (
        "embeddings.rotary",
        "llama_style",
        """\
def rotary(x, positions, base=10000.0):
    d = x.shape[-1]
    inv = 1.0 / (base ** (torch.arange(0, d, 2, device=x.device).double() / d))
    f = positions.double()[..., None] * inv
    cos = torch.cat([f, f], -1).cos().to(x.dtype)
    sin = torch.cat([f, f], -1).sin().to(x.dtype)
    x1, x2 = x[..., : d // 2], x[..., d // 2 :]
    return x * cos + torch.cat([-x2, x1], -1) * sin
""",
        "half-with-half",
        None,
    ),
    (
        "embeddings.rotary",
        "repeat_interleave_mix",
        """\
def rotary(x, positions, base=10000.0):
    t = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    inv = base ** (-torch.arange(0, d, 2, device=x.device, dtype=t) / d)
    ang = (positions.to(t).unsqueeze(-1) * inv).repeat_interleave(2, -1)
    h = d // 2
    rot = torch.cat([-x[..., h:], x[..., :h]], -1)
    return (x * ang.cos() + rot * ang.sin()).to(x.dtype)
""",
        None,
        "has its numbers at [2, 6] after the turn",
    ),
    (
        "embeddings.rotary",
        "inplace_seq",
        """\
def rotary(x, positions, base=10000.0):
    t = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    inv = base ** (-torch.arange(0, d, 2, device=x.device, dtype=t) / d)
    ang = positions.to(t).unsqueeze(-1) * inv
    y = x.clone()
    y[..., ::2] = (y[..., ::2] * ang.cos() - y[..., 1::2] * ang.sin()).to(x.dtype)
    y[..., 1::2] = (y[..., ::2] * ang.sin() + y[..., 1::2] * ang.cos()).to(x.dtype)
    return y
""",
        None,
        "computed with the new first number",
    ),
    (
        "embeddings.rotary",
        "degrees",
        """\
def rotary(x, positions, base=10000.0):
    t = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    inv = base ** (-torch.arange(0, d, 2, device=x.device, dtype=t) / d)
    ang = torch.deg2rad(positions.to(t).unsqueeze(-1) * inv)
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * ang.cos() - b * ang.sin(), a * ang.sin() + b * ang.cos()], -1).flatten(-2).to(x.dtype)
""",
        None,
        "the pairs turn by (0.0175",
    ),
    (
        "embeddings.rotary",
        "relative_first",
        """\
def rotary(x, positions, base=10000.0):
    t = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.shape[-1]
    inv = base ** (-torch.arange(0, d, 2, device=x.device, dtype=t) / d)
    positions = positions - positions[..., :1]
    ang = positions.to(t).unsqueeze(-1) * inv
    a, b = x[..., ::2], x[..., 1::2]
    return torch.stack([a * ang.cos() - b * ang.sin(), a * ang.sin() + b * ang.cos()], -1).flatten(-2).to(x.dtype)
""",
        None,
        "the pairs turn by (0, 0, 0, 0) at position 1",
    ),
]


@pytest.mark.parametrize(
    ("exercise_id", "source", "mistake", "words"),
    [pytest.param(slip[0], *slip[2:], id=f"{slip[0]}-{slip[1]}") for slip in SLIPS],
)
def test_it_does_not_pass_and_is_told_what_is_wrong(
    exercise_id, source, mistake, words, monkeypatch
):
    unseen.quickly(monkeypatch)
    unseen.assert_told(exercise_id, source, mistake, words)
