"""Slips of everyday PyTorch in chapter 04's exercises: none passes, each is told by name or in words."""

from __future__ import annotations

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis
from course.content import exercises

pytestmark = pytest.mark.slow

# Of each: the answer, and the id of its mistake, or what must be said.
FUNCTIONS: dict[tuple[str, str], tuple[str, str]] = {
    ("stacking.get_clones", "reset in the loop"): (
        """\
def get_clones(module, count):
    def begin(part):
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    return nn.ModuleList([copy.deepcopy(module) for _ in range(count)]).apply(begin)
""",
        "drawn-anew",
    ),
    ("stacking.get_clones", "xavier"): (
        """\
def get_clones(module, count):
    clones = nn.ModuleList([copy.deepcopy(module) for _ in range(count)])
    for p in clones.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p)
    return clones
""",
        "another weight",
    ),
    ("stacking.get_clones", "the module's mode for all"): (
        """\
def get_clones(module, count):
    out = nn.ModuleList()
    for _ in range(count):
        out.append(copy.deepcopy(module).train(module.training))
    return out
""",
        "all-parts-in-one-mode",
    ),
    ("stacking.get_clones", "parameter by parameter"): (
        """\
def get_clones(module, count):
    out = []
    for _ in range(count):
        clone = copy.deepcopy(module)
        for part in clone.modules():
            for name, p in list(part.named_parameters(recurse=False)):
                setattr(part, name, nn.Parameter(p.detach().clone(), requires_grad=p.requires_grad))
        out.append(clone)
    return nn.ModuleList(out)
""",
        "ties-broken",
    ),
    ("stacking.layer_norm", "mean of squares minus squared mean"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    mean = x.mean(-1, keepdim=True)
    var = ((x * x).mean(-1, keepdim=True) - mean ** 2).clamp(min=0)
    return weight * (x - mean) / torch.sqrt(var + eps) + bias
""",
        "mean-of-squares-minus-squared-mean",
    ),
    ("stacking.layer_norm", "sums of squares"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    n = x.shape[-1]
    total, squares = x.sum(-1, keepdim=True), (x * x).sum(-1, keepdim=True)
    var = (squares - total * total / n) / n
    return weight * (x - total / n) / torch.sqrt(var + eps) + bias
""",
        "digits are lost",
    ),
    ("stacking.layer_norm", "BERT's eps as the default"): (
        """\
def layer_norm(x, weight, bias, eps=1e-12):
    return F.layer_norm(x, x.shape[-1:], weight, bias, eps)
""",
        "another-default-epsilon",
    ),
    ("stacking.token_similarity", "keys masked, and NaN in two ways"): (
        """\
def token_similarity(hidden, padding_mask=None):
    h = hidden / hidden.norm(dim=-1, keepdim=True)
    sim = h @ h.transpose(1, 2)
    valid = ~torch.eye(h.shape[1], dtype=torch.bool, device=h.device).expand_as(sim)
    if padding_mask is not None:
        valid = valid & ~padding_mask[:, None, :]
    return (sim * valid).sum((1, 2)) / valid.sum((1, 2))
""",
        "the result changes with the vector of the padding",
    ),
    ("stacking.token_similarity", "queries masked, the diagonal taken off"): (
        """\
def token_similarity(hidden, padding_mask=None):
    h = F.normalize(hidden, dim=-1)
    sim = h @ h.mT
    n = hidden.shape[1]
    if padding_mask is not None:
        sim = sim.masked_fill(padding_mask[:, :, None], 0.0)
        n = (~padding_mask).sum(1)
    return (sim.sum((1, 2)) - n) / (n * (n - 1))
""",
        "the result changes with the vector of the padding",
    ),
    ("stacking.layer_norm", "a module of its own"): (
        """\
def layer_norm(x, weight, bias, eps=1e-5):
    return nn.LayerNorm(x.shape[-1], eps=eps)(x)
""",
        "made inside of the answer is float32",
    ),
    ("stacking.residual", "the norm not called"): (
        """\
def residual(x, sublayer, norm, norm_first):
    if norm_first:
        return x + sublayer(norm)
    return norm(x + sublayer(x))
""",
        "a function is used as a tensor",
    ),
    ("stacking.token_similarity", "nanmean over the keys"): (
        """\
def token_similarity(hidden, padding_mask=None):
    sim = F.cosine_similarity(hidden[:, :, None], hidden[:, None], dim=-1)
    own = torch.eye(sim.shape[1], dtype=torch.bool, device=hidden.device)
    sim = sim.masked_fill(own, float("nan"))
    if padding_mask is not None:
        sim = sim.masked_fill(padding_mask[:, None, :], float("nan"))
    return sim.nanmean((1, 2))
""",
        "a sentence of padding only, a sentence of one token: a division by 0 gives NaN or inf",
    ),
}


@pytest.mark.parametrize(("exercise_id", "name"), FUNCTIONS)
def test_a_function_is_told_its_slip(
    exercise_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 0.0)
    source, wanted = FUNCTIONS[exercise_id, name]
    report = checks.judge(exercises.get(exercise_id), build(exercise_id, source))
    assert report.status == "failed"
    assert wanted in report.mistakes or wanted in _uncapped(report.message), report.message


def _uncapped(message: str) -> str:
    """The message with each line's first letter small, as sentences are written in the checker."""
    return "\n".join(line[:2] + line[2:3].lower() + line[3:] for line in message.splitlines())
