"""Right answers to chapter 01's exercises, in other styles than the model solutions'."""

import collections
import itertools
import math
import re

import numpy as np
import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


# build_vocabulary


def vocabulary_loop(texts, size):
    counts = {}
    for text in texts:
        for word in re.findall(r"\w+", text.lower()):
            counts[word] = counts.get(word, 0) + 1
    pairs = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    vocabulary = {}
    for token in SPECIAL:
        vocabulary[token] = len(vocabulary)
    for word, _ in pairs:
        if len(vocabulary) >= size:
            break
        vocabulary[word] = len(vocabulary)
    return vocabulary


def vocabulary_two_sorts(texts, size):
    counts = collections.Counter(re.findall(r"\w+", "\n".join(texts).lower()))
    words = sorted(sorted(counts), key=counts.get, reverse=True)  # sorting is stable
    return dict(zip(SPECIAL + words, range(size), strict=False))


def vocabulary_most_common(texts, size):
    counts = collections.Counter()
    for text in texts:
        counts.update(match.group().lower() for match in re.finditer(r"\w+", text))
    ordered = collections.Counter(dict(sorted(counts.items()))).most_common(size - 5)
    result = dict(zip(SPECIAL, range(5), strict=True))
    result.update({word: place for place, (word, _) in enumerate(ordered, 5)})
    return result


def vocabulary_defaultdict(texts, size):
    counts = collections.defaultdict(int)
    for word in itertools.chain.from_iterable(re.split(r"\W+", t.lower()) for t in texts):
        if word:
            counts[word] += 1
    words = list(counts)
    words.sort()
    words.sort(key=lambda w: counts[w], reverse=True)
    return {w: i for i, w in enumerate((SPECIAL + words)[:size])}


def vocabulary_groups(texts, size):
    words = sorted(re.findall(r"\w+", " ".join(texts).lower()))
    groups = sorted((-len(list(group)), word) for word, group in itertools.groupby(words))
    tokens = itertools.chain(SPECIAL, (word for _, word in groups))
    return {token: number for number, token in zip(range(size), tokens, strict=False)}


# wordpiece


def wordpiece_for_else(word, vocabulary):
    pieces = []
    start = 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = word[start:end] if start == 0 else "##" + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces


def wordpiece_recursive(word, vocabulary, prefix=""):
    if not word:
        return []
    ends = [end for end in range(1, len(word) + 1) if prefix + word[:end] in vocabulary]
    if not ends:
        return ["[UNK]"]
    rest = wordpiece_recursive(word[ends[-1] :], vocabulary, "##")
    return rest if rest == ["[UNK]"] else [prefix + word[: ends[-1]], *rest]


def wordpiece_startswith(word, vocabulary):
    out, rest = [], word
    while rest:
        mark = "##" if out else ""
        fitting = [
            p for p in vocabulary
            if p.startswith(mark) and p[len(mark) :] and rest.startswith(p[len(mark) :])
        ]  # fmt: skip
        if not fitting:
            return ["[UNK]"]
        best = max(fitting, key=len)
        out.append(best)
        rest = rest[len(best) - len(mark) :]
    return out


def wordpiece_marked_rest(word, vocabulary):
    pieces = []
    while len(word) > 0:
        head = word
        least = 2 if pieces else 0
        while len(head) > least and head not in vocabulary:
            head = head[:-1]
        if len(head) == least:
            return ["[UNK]"]
        pieces.append(head)
        word = word[len(head) :]
        if word:
            word = "##" + word
    return pieces


def wordpiece_next(word, vocabulary):
    pieces, at = [], 0
    while at != len(word):
        mark = "##" * bool(at)
        ends = reversed(range(at + 1, len(word) + 1))
        end = next((end for end in ends if mark + word[at:end] in vocabulary), None)
        if end is None:
            return ["[UNK]"]
        pieces += [mark + word[at:end]]
        at = end
    return pieces


def wordpiece_last_in_the_alphabet(word, vocabulary):
    """Of beginnings of one word the last in the alphabet is the longest."""
    pieces, rest, mark = [], word, ""
    while rest:
        fitting = [p for p in vocabulary if p.startswith(mark) and rest.startswith(p[len(mark) :])]
        if not fitting:
            return ["[UNK]"]
        pieces.append(max(fitting))
        rest, mark = rest[len(pieces[-1]) - len(mark) :], "##"
    return pieces


# pad_batch


def pad_batch_lists(sequences, pad_id):
    longest = max(map(len, sequences))
    rows = [list(s) + [pad_id] * (longest - len(s)) for s in sequences]
    masks = [[False] * len(s) + [True] * (longest - len(s)) for s in sequences]
    shape = (len(sequences), longest)
    return (
        torch.tensor(rows, dtype=torch.long).reshape(shape),
        torch.tensor(masks, dtype=torch.bool).reshape(shape),
    )


def pad_batch_library(sequences, pad_id):
    tensors = [torch.tensor(s, dtype=torch.int64) for s in sequences]
    ids = pad_sequence(tensors, batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(s) for s in sequences])
    return ids, torch.arange(ids.shape[1]) >= lengths[:, None]


def pad_batch_zip(sequences, pad_id):
    nothing = object()
    columns = list(itertools.zip_longest(*sequences, fillvalue=nothing))
    if not columns:
        return torch.empty(len(sequences), 0, dtype=torch.long), torch.empty(
            len(sequences), 0, dtype=torch.bool
        )
    mask = torch.tensor([[x is nothing for x in column] for column in columns]).T
    ids = torch.tensor([[pad_id if x is nothing else x for x in column] for column in columns]).T
    return ids, mask


def pad_batch_stack(sequences, pad_id):
    longest = max(len(s) for s in sequences)
    ids, masks = [], []
    for s in sequences:
        row = torch.as_tensor(s, dtype=torch.long)
        missing = longest - len(s)
        ids.append(F.pad(row, (0, missing), value=pad_id))
        masks.append(torch.cat([torch.zeros(len(s)), torch.ones(missing)]).bool())
    return torch.stack(ids), torch.stack(masks)


def pad_batch_numpy(sequences, pad_id):
    longest = max(len(sequence) for sequence in sequences)
    ids = np.full((len(sequences), longest), pad_id, dtype=np.int64)
    mask = np.ones((len(sequences), longest), dtype=bool)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = False
    return torch.from_numpy(ids), torch.from_numpy(mask)


# lookup


def lookup_library(weight, ids):
    return F.embedding(ids, weight)


def lookup_one_hot(weight, ids):
    return F.one_hot(ids, num_classes=weight.size(0)).to(weight.dtype) @ weight


def lookup_index_select(weight, ids):
    return weight.index_select(0, ids.reshape(-1)).view(*ids.shape, -1)


def lookup_loop(weight, ids):
    return torch.stack([torch.stack([weight[i] for i in row]) for row in ids])


def lookup_einsum(weight, ids):
    places = torch.arange(weight.shape[0], device=ids.device)
    return torch.einsum("bsv,vd->bsd", (ids[..., None] == places).to(weight.dtype), weight)


def lookup_gather(weight, ids):
    places = ids.reshape(-1, 1).expand(-1, weight.shape[1])
    return torch.gather(weight, 0, places).reshape(*ids.shape, weight.shape[1])


def lookup_module(weight, ids):
    table = torch.nn.Embedding(*weight.shape, _weight=weight.detach())
    return torch.func.functional_call(table, {"weight": weight}, (ids,))


# cosine_similarity


def cosine_library(a, b):
    return F.cosine_similarity(a.unsqueeze(1), b.unsqueeze(0), dim=-1)


def cosine_normalize(a, b):
    return F.normalize(a, dim=1) @ F.normalize(b, dim=1).mT


def cosine_where(a, b):
    lengths = torch.outer(a.norm(dim=1), b.norm(dim=1))
    return torch.where(lengths > 0, (a @ b.T) / torch.where(lengths > 0, lengths, 1), 0)


def cosine_einsum(a, b):
    one, two = (x.square().sum(-1).sqrt() for x in (a, b))
    one, two = (torch.where(x == 0, torch.ones_like(x), x) for x in (one, two))
    return torch.einsum("nd,md->nm", a / one[:, None], b / two[:, None])


def cosine_loop(a, b):
    rows = []
    for x in a:
        row = []
        for y in b:
            length = x.norm() * y.norm()
            row.append((x * y).sum() / length if length > 0 else (x * y).sum() * 0)
        rows.append(torch.stack(row))
    return torch.stack(rows)


def cosine_nan_to_num(a, b):
    a = (a / torch.linalg.vector_norm(a, dim=-1, keepdim=True)).nan_to_num()
    b = (b / torch.linalg.vector_norm(b, dim=-1, keepdim=True)).nan_to_num()
    return a.matmul(b.transpose(0, 1))


def cosine_columns(a, b):
    return torch.stack([F.cosine_similarity(a, row.expand_as(a)) for row in b], dim=1)


def cosine_linear(a, b):
    return F.linear(F.normalize(a), F.normalize(b))


# sinusoidal_positions


def sinusoidal_loop(length, d_model):
    table = torch.zeros(length, d_model)
    for position in range(length):
        for column in range(d_model):
            angle = position / 10000 ** (2 * (column // 2) / d_model)
            table[position, column] = math.sin(angle) if column % 2 == 0 else math.cos(angle)
    return table


def sinusoidal_tutorial(length, d_model):
    position = torch.arange(length).unsqueeze(1)
    rates = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    table = torch.zeros(length, d_model)
    table[:, 0::2] = torch.sin(position * rates)
    table[:, 1::2] = torch.cos(position * rates[: d_model // 2])
    return table


def sinusoidal_stack(length, d_model):
    pairs = torch.arange((d_model + 1) // 2, dtype=torch.float64)
    angle = torch.outer(torch.arange(length, dtype=torch.float64), 10000 ** (-2 * pairs / d_model))
    both = torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)[:, :d_model]
    return both.to(torch.get_default_dtype())


def sinusoidal_shifted_sine(length, d_model):
    column = torch.arange(d_model, dtype=torch.float64)
    rates = torch.pow(torch.tensor(10000.0, dtype=torch.float64), -(column - column % 2) / d_model)
    position = torch.arange(length, dtype=torch.float64)[:, None]
    return torch.sin(position * rates + (column % 2) * math.pi / 2).float()


def sinusoidal_numpy(length, d_model):
    column = np.arange(d_model)
    angle = np.arange(length)[:, None] / np.power(10000, (column - column % 2) / d_model)
    angle[:, 0::2], angle[:, 1::2] = np.sin(angle[:, 0::2]), np.cos(angle[:, 1::2])
    return torch.from_numpy(angle).to(torch.get_default_dtype())


# rotary


def rotary_complex(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    rates = base ** (-torch.arange(0, x.shape[-1], 2, dtype=wide, device=x.device) / x.shape[-1])
    angle = positions.to(wide)[..., None] * rates
    pairs = torch.view_as_complex(x.to(wide).unflatten(-1, (-1, 2)).contiguous())
    turned = pairs * torch.polar(torch.ones_like(angle), angle)
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


def rotary_quarter_turn(x, positions, base=10000.0):
    wide = torch.promote_types(x.dtype, torch.float32)
    i = torch.arange(x.shape[-1] // 2, device=x.device, dtype=wide)
    angle = positions.to(wide).unsqueeze(-1) * torch.pow(base, -2 * i / x.shape[-1])
    cos, sin = (part.repeat_interleave(2, dim=-1) for part in (angle.cos(), angle.sin()))
    quarter = torch.stack((-x[..., 1::2], x[..., ::2]), dim=-1).reshape(x.shape)
    return (x * cos + quarter * sin).type_as(x)


def rotary_in_place(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.size(-1)
    out = torch.zeros_like(x)
    for i in range(d // 2):
        t = positions.to(wide) * base ** (-2 * i / d)
        a, b = x[..., 2 * i], x[..., 2 * i + 1]
        out[..., 2 * i] = (a * t.cos() - b * t.sin()).to(x.dtype)
        out[..., 2 * i + 1] = (a * t.sin() + b * t.cos()).to(x.dtype)
    return out


def rotary_matrices(x, positions, base=10000.0):
    angle = positions.double()[..., None] / base ** (
        torch.arange(0, x.shape[-1], 2, device=x.device).double() / x.shape[-1]
    )
    rows = torch.stack((angle.cos(), -angle.sin()), -1), torch.stack((angle.sin(), angle.cos()), -1)
    matrix = torch.stack(rows, dim=-2)  # (..., S, Dh / 2, 2, 2)
    pairs = x.double().reshape(*x.shape[:-1], -1, 2, 1)
    return (matrix @ pairs).reshape(x.shape).to(x.dtype)


def rotary_by_halves(x, positions, base=10000.0):
    """The even places brought before the odd ones, turned as halves, and brought back."""
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    half = x.shape[-1] // 2
    rates = base ** (-torch.arange(half, device=x.device, dtype=wide) / half)
    angle = (positions.to(wide)[..., None] * rates).repeat(*[1] * positions.dim(), 2)
    sorted_x = torch.cat([x[..., ::2], x[..., 1::2]], -1)
    turned = torch.cat([-sorted_x[..., half:], sorted_x[..., :half]], -1)
    result = sorted_x * angle.cos() + turned * angle.sin()
    return result.unflatten(-1, (2, half)).transpose(-1, -2).flatten(-2).to(x.dtype)


def vocabulary_counted_by_hand(texts, size):
    counts = {}
    for text in texts:
        for word in re.findall(r"\w+", text.lower()):
            counts[word] = counts.get(word, 0) + 1
    words = sorted(counts)
    words.sort(key=counts.get, reverse=True)
    vocab = {}
    for token in ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]:
        if len(vocab) == size:
            break
        vocab[token] = len(vocab)
    return vocab


def wordpiece_recursive_greedy(word, vocabulary, prefix=""):
    if not word:
        return []
    for end in range(len(word), 0, -1):
        piece = prefix + word[:end]
        if piece in vocabulary:
            rest = wordpiece_recursive_greedy(word[end:], vocabulary, "##")
            return ["[UNK]"] if rest == ["[UNK]"] else [piece, *rest]
    return ["[UNK]"]


def pad_batch_functional(sequences, pad_id):
    width = max(map(len, sequences))
    ids = torch.stack(
        [
            F.pad(torch.tensor(s, dtype=torch.int64), (0, width - len(s)), value=pad_id)
            for s in sequences
        ]
    )
    mask = torch.stack(
        [
            F.pad(torch.zeros(len(s), dtype=torch.bool), (0, width - len(s)), value=True)
            for s in sequences
        ]
    )
    return ids, mask


def cosine_rsqrt(a, b):
    def unit(x):
        s = x.square().sum(1, keepdim=True)
        return x * torch.where(s > 0, s, torch.ones_like(s)).rsqrt()

    return torch.mm(unit(a), unit(b).t())


def sinusoidal_annotated(length, d_model):
    pe = torch.zeros(length, d_model)
    position = torch.arange(0, length, dtype=torch.float).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term)[:, : d_model // 2]
    return pe


def rotary_matrix_of_each_pair(x, positions, base=10000.0):
    wide = torch.float64 if x.dtype == torch.float64 else torch.float32
    d = x.size(-1)
    i = torch.arange(d // 2, device=x.device, dtype=wide)
    t = positions.to(wide)[..., None] * torch.exp(-2 * i / d * math.log(base))
    rot = torch.stack(
        (torch.stack((t.cos(), -t.sin()), -1), torch.stack((t.sin(), t.cos()), -1)), -2
    )
    pairs = x.to(wide).unflatten(-1, (d // 2, 2)).unsqueeze(-1)
    return (rot @ pairs).squeeze(-1).flatten(-2).to(x.dtype)


def rotary_roformer(x, positions, base=10000.0):
    wide = torch.promote_types(x.dtype, torch.float32)
    theta = 1.0 / (
        base ** (torch.arange(0, x.shape[-1], 2, device=x.device).to(wide) / x.shape[-1])
    )
    m = torch.einsum("...s,d->...sd", positions.to(wide), theta)
    sin, cos = m.sin().repeat_interleave(2, dim=-1), m.cos().repeat_interleave(2, dim=-1)
    x2 = torch.stack([-x[..., 1::2], x[..., ::2]], dim=-1).reshape_as(x)
    return (x * cos + x2 * sin).to(x.dtype)


RIGHT = {
    "embeddings.build_vocabulary": (
        vocabulary_loop, vocabulary_two_sorts, vocabulary_most_common, vocabulary_defaultdict,
        vocabulary_groups,
        vocabulary_counted_by_hand,
    ),
    "embeddings.wordpiece": (
        wordpiece_for_else, wordpiece_recursive, wordpiece_startswith, wordpiece_marked_rest,
        wordpiece_next, wordpiece_last_in_the_alphabet,
        wordpiece_recursive_greedy,
    ),
    "embeddings.pad_batch": (
        pad_batch_lists, pad_batch_library, pad_batch_zip, pad_batch_stack, pad_batch_numpy,
        pad_batch_functional,
    ),
    "embeddings.lookup": (
        lookup_library, lookup_one_hot, lookup_index_select, lookup_loop, lookup_einsum,
        lookup_gather, lookup_module,
    ),
    "embeddings.cosine_similarity": (
        cosine_library, cosine_normalize, cosine_where, cosine_einsum, cosine_loop,
        cosine_nan_to_num, cosine_columns, cosine_linear,
        cosine_rsqrt,
    ),
    "embeddings.sinusoidal_positions": (
        sinusoidal_loop, sinusoidal_tutorial, sinusoidal_stack, sinusoidal_shifted_sine,
        sinusoidal_numpy,
        sinusoidal_annotated,
    ),
    "embeddings.rotary": (
        rotary_complex, rotary_quarter_turn, rotary_in_place, rotary_matrices, rotary_by_halves,
        rotary_matrix_of_each_pair,
        rotary_roformer,
    ),
}  # fmt: skip
