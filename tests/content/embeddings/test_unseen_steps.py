"""Wrong answers that no listed mistake is: what is said must name the step, by what it does to plain inputs."""

import pytest

from tests import unseen

pytestmark = pytest.mark.slow

TABLE = """\
def sinusoidal_positions(length, d_model):
    p, c = torch.arange(length).unsqueeze(1), torch.arange(d_model)
    angle = ANGLE
    return torch.where(c % 2 == 0, angle.sin(), angle.cos())
"""
TURN = """\
def rotary(x, positions, base=10000.0):
    d = x.shape[-1]
    rates = RATES
    angle = positions.double().unsqueeze(-1) * rates
    a, b = x[..., 0::2].double(), x[..., 1::2].double()
    turned = torch.stack((a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()), -1)
    return turned.flatten(-2).to(x.dtype)
"""
PIECES = """\
def wordpiece(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        for end in range(min(len(word), start + LONGEST), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            return ["[UNK]"]
    return pieces
"""
TWO_PIECES = """\
def wordpiece(word, vocabulary):
    if word in vocabulary:
        return [word]
    for end in range(len(word) - 1, 0, -1):
        if word[:end] in vocabulary and "##" + word[end:] in vocabulary:
            return [word[:end], "##" + word[end:]]
    return ["[UNK]"]
"""
UNIT = "F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).T"

# The exercise, the answer, and what must be said.
WRONG = {
    "frequencies in reverse": (
        "embeddings.sinusoidal_positions",
        TABLE.replace("ANGLE", "p / 10000 ** (2 * (c // 2).flip(0) / d_model)"),
        "from one position to the next, and should by (1, 1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001)",
    ),
    "another base": (
        "embeddings.sinusoidal_positions",
        TABLE.replace("ANGLE", "p / 20000 ** (2 * (c // 2) / d_model)"),
        "the angles of the columns grow by (1, 1, 0.0841, 0.0841, 0.00707, 0.00707,",
    ),
    "half the speed": (
        "embeddings.sinusoidal_positions",
        TABLE.replace("ANGLE", "p / 2 / 10000 ** (2 * (c // 2) / d_model)"),
        "the angles of the columns grow by (0.5, 0.5, 0.05, 0.05, 0.005, 0.005,",
    ),
    "backwards": (
        "embeddings.sinusoidal_positions",
        TABLE.replace("ANGLE", "-p / 10000 ** (2 * (c // 2) / d_model)"),
        "column 0 is -1 sin(angle), and should be sin(angle)",
    ),
    "until the base": (
        "embeddings.rotary",
        TURN.replace(
            "RATES", "base ** (-torch.arange(0, d, 2, device=x.device).double() / max(d - 2, 1))"
        ),
        "the pairs turn by (1, 0.0464, 0.00215, 0.0001) at position 1, and should by (1, 0.1, 0.01",
    ),
    "pieces of four letters at most": (
        "embeddings.wordpiece",
        PIECES.replace("LONGEST", "4"),
        "right except with pieces of many letters",
    ),
    "pieces of twelve letters at most": (
        "embeddings.wordpiece",
        PIECES.replace("LONGEST", "12"),
        "right except with pieces of many letters",
    ),
    "every cut into two": (
        "embeddings.wordpiece",
        TWO_PIECES,
        "It gives [UNK] where there are pieces: '编码器' should become ['编', '##码', '##器']",
    ),
    "a distance": (
        "embeddings.cosine_similarity",
        "def cosine_similarity(a, b):\n"
        "    return 1 - torch.cdist(F.normalize(a, dim=-1), F.normalize(b, dim=-1))\n",
        "with 0, 60, 90, 120, 180 degrees between them get 1.00, 0.00, -0.41, -0.73, -1.00",
    ),
    "roots of lengths": (
        "embeddings.cosine_similarity",
        f"def cosine_similarity(a, b):\n    return {UNIT} * a.norm(dim=-1, keepdim=True).sqrt()\n",
        "when the vectors of a become 4 times as long, the similarity becomes 2 times as large",
    ),
    "texts cut at 128": (
        "embeddings.pad_batch",
        "def pad_batch(sequences, pad_id):\n"
        "    n = min(max(map(len, sequences)), 128)\n"
        "    ids = torch.tensor([(s + [pad_id] * n)[:n] for s in sequences], dtype=torch.long)\n"
        "    mask = [[i >= len(s) for i in range(n)] for s in sequences]\n"
        "    return ids, torch.tensor(mask, dtype=torch.bool)\n",
        "the axis S is 128 long instead of 600",
    ),
    "rows as they come": (
        "embeddings.lookup",
        "def lookup(weight, ids):\n"
        "    found, places = ids.unique(return_inverse=True)\n"
        "    return weight[: len(found)][places]\n",
        "for the ids [[4, 1, 6], [1, 0, 3]] it takes the rows [[3, 1, 4], [1, 0, 2]]",
    ),
    "never the last row": (
        "embeddings.lookup",
        "def lookup(weight, ids):\n    return weight[ids.clamp(max=len(weight) - 2)]\n",
        "for the ids [[4, 1, 6], [1, 0, 3]] it takes the rows [[4, 1, 5], [1, 0, 3]]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_it_does_not_pass_and_its_wrong_step_is_told(name, monkeypatch):
    unseen.quickly(monkeypatch)
    exercise_id, source, said = WRONG[name]
    report = unseen.judged(exercise_id, source)
    assert report.status == "failed"
    assert report.mistakes == ()
    assert said.lower() in report.message.lower()
