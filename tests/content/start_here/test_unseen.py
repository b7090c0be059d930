"""Wrong answers that are listed nowhere, as people write them: none passes, and each is told what is wrong."""

import pytest

from tests import unseen

pytestmark = pytest.mark.slow

UNSEEN = {
    "start_here.best_match": {
        "loop_start0": """\
def best_match(question, passages):
    best, where = 0.0, 0
    for i, p in enumerate(passages):
        n = p.norm() * question.norm()
        s = float(p @ question / n) if n > 0 else 0.0
        if s > best:
            best, where = s, i
    return where
""",
        "dim0": """\
def best_match(question, passages):
    s = F.cosine_similarity(passages, question.unsqueeze(0), dim=0)
    return int(s.argmax())
""",
        "normalize_wrongaxis": """\
def best_match(question, passages):
    p = F.normalize(passages, dim=0)
    return int((p @ question).argmax())
""",
        "euclid_normed": """\
def best_match(question, passages):
    return int((F.normalize(passages, dim=-1) - F.normalize(question, dim=-1)).norm(dim=-1).argmin())
""",
        "value": """\
def best_match(question, passages):
    return float(F.cosine_similarity(passages, question[None]).max())
""",
        "tuple": """\
def best_match(question, passages):
    s = F.cosine_similarity(passages, question[None])
    return int(s.argmax()), float(s.max())
""",
        "round": """\
def best_match(question, passages):
    s = F.cosine_similarity(passages, question[None])
    return int(torch.round(s, decimals=1).argmax())
""",
        "numpy": """\
def best_match(question, passages):
    import numpy as np
    p, q = passages.numpy(), question.numpy()
    with np.errstate(all="ignore"):
        s = p @ q / (np.linalg.norm(p, axis=1) * np.linalg.norm(q))
    return int(np.argmax(s))
""",
        "eps_product": """\
def best_match(question, passages):
    s = passages @ question / (passages.norm(dim=-1) * question.norm() + 0.1)
    return int(s.argmax())
""",
        "clamp_product": """\
def best_match(question, passages):
    s = passages @ question / (passages.norm(dim=-1) * question.norm()).clamp(min=0.5)
    return int(s.argmax())
""",
        "eps_root": """\
def best_match(question, passages):
    return int((passages @ question / (passages.pow(2).sum(-1) + 0.1).sqrt()).argmax())
""",
        "root_of_length": """\
def best_match(question, passages):
    return int((passages @ question / passages.norm(dim=-1).clamp(min=1e-9).sqrt()).argmax())
""",
        "longest": """\
def best_match(question, passages):
    return int(passages.norm(dim=-1).argmax())
""",
    },
}

# The mistakes that are named.
NAMED = {
    "start_here.best_match": {
        "loop_start0": "negative-ones-never-win",
        "dim0": "similarities-of-columns",
        "normalize_wrongaxis": "columns-scaled",
        "euclid_normed": "distance-at-length-one",
        "value": "cosine-not-index",
        "round": "rounded",
    },
}

# Where no mistake is named: words that have to be in what is said.
SAID = {
    "start_here.best_match": {
        "tuple": "returns a tuple of 2; asked is an int",
        "numpy": "numpy cannot read a GPU's memory",
        "eps_product": "a fixed number stands beside the lengths",
        "clamp_product": "a fixed number stands beside the lengths",
        "eps_root": "a fixed number stands beside the lengths",
        "root_of_length": "long vectors win",
        "longest": "the question does not enter",
    },
}

ALL = [(exercise, name) for exercise, sources in UNSEEN.items() for name in sources]


@pytest.mark.parametrize(("exercise_id", "name"), ALL, ids=[f"{e}-{n}" for e, n in ALL])
def test_it_does_not_pass_and_is_told_what_is_wrong(exercise_id, name, monkeypatch):
    unseen.quickly(monkeypatch)
    named, said = NAMED[exercise_id].get(name), SAID[exercise_id].get(name)
    unseen.assert_told(exercise_id, UNSEEN[exercise_id][name], named, said)
