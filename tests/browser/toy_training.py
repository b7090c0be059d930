"""A notebook cell that shows a theatre on a toy: find the first of six words."""

from __future__ import annotations

CELL = """\
import torch
from torch import nn
from course import labs
from course.training import Answer, HeadPicture, Settings, Training

WORDS = ["list", "tuple", "set", "dict", "string", "number", "class", "module"]

class Toy(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.embedding = nn.Embedding(8, settings.d_model)
        self.attention = nn.MultiheadAttention(settings.d_model, settings.nhead, batch_first=True)
        self.out = nn.Linear(settings.d_model, 8)
    def forward(self, ids):
        x = self.embedding(ids)
        x = x + self.attention(x, x, x)[0]
        return self.out(x.mean(1))

DATA = [torch.randint(0, 8, (6,), generator=torch.Generator().manual_seed(i)) for i in range(200)]
def loss(model, ids): return nn.functional.cross_entropy(model(ids), ids[:, 0])
HELD = torch.stack(DATA[:20])
def evaluate(model): return {"accuracy": (model(HELD).argmax(-1) == HELD[:, 0]).float().mean().item()}
def examples(model):
    shares = model(HELD[:4]).softmax(-1)
    return [Answer("[MASK] " + " ".join(WORDS[i] for i in ids[1:]),
                   tuple((WORDS[i], s) for s, i in zip(*[t.tolist() for t in share.topk(4)])), WORDS[ids[0]])
            for ids, share in zip(HELD, shares)]
def head(model):
    x = model.embedding(HELD[:1])
    w = model.attention(x, x, x, average_attn_weights=False)[1]
    return HeadPicture(tuple(WORDS[i] for i in HELD[0]), w)
training = Training(name="toy.first", title="A toy learns to find the first word",
    settings=Settings(steps=3000, d_model=16, nhead=2, num_layers=1, warmup=10, learning_rate=0.01, batch_size=16),
    build=Toy, data=DATA, collate=torch.stack, loss=loss, evaluate=evaluate, figure="accuracy",
    baselines={"most frequent": 0.2, "guessing": 0.125},
    examples=examples, head=head, parts={"EncoderLayer": "yours", "mask_tokens": "the reference's"}, key="1")
theatre = labs.TrainingTheatre(training)
theatre
"""
