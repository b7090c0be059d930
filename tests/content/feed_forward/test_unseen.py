"""Wrong answers as people write them, in words of their own: none passes, most are told by name."""

# ruff: noqa: E501

import pytest

from course.checking import checks
from course.checking.exercise import build
from course.content import exercises

pytestmark = pytest.mark.slow  # pairs of mistakes are looked through where none fits

UNSEEN = {
    "feed_forward.dropout": {
        "np1": """\
def dropout(x,p,training):
    import numpy as np
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    mask = torch.from_numpy((np.random.rand(*x.shape) > p).astype(np.float32))
    return x*mask/(1-p)
""",
        "notscaled_bern": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    return x*torch.bernoulli(torch.full_like(x,1-p))
""",
        "bern_p": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    return x*torch.bernoulli(torch.full_like(x,p))/(1-p)
""",
        "rows_bern": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    m=torch.bernoulli(torch.full(x.shape[:-1],1-p,dtype=x.dtype,device=x.device)).unsqueeze(-1)
    return x*m/(1-p)
""",
        "cols_bern": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    m=torch.bernoulli(torch.full(x.shape[-1:],1-p,dtype=x.dtype,device=x.device))
    return x*m/(1-p)
""",
        "batch_bern": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    m=torch.bernoulli(torch.full(x.shape[1:],1-p,dtype=x.dtype,device=x.device))
    return x*m/(1-p)
""",
        "perm": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    m=torch.ones_like(x).flatten()
    m[torch.randperm(x.numel())[:int(p*x.numel())]]=0
    return x*m.view(x.shape)/(1-p)
""",
        "noeval": """\
def dropout(x,p,training):
    if p<0 or p>1: raise ValueError("p")
    if p==1: return torch.zeros_like(x)
    return F.dropout(x,p)
""",
        "nocheck": """\
def dropout(x,p,training):
    if not training: return x
    if p==1: return torch.zeros_like(x)
    return x*(torch.rand_like(x)>p)/(1-p)
""",
        "nocheck2": """\
def dropout(x,p,training):
    if not training: return x
    return x*(torch.rand_like(x)>p)/(1-p)
""",
        "none": """\
def dropout(x,p,training):
    if training:
        mask = torch.rand_like(x) > p
        return x*mask/(1-p)
""",
        "twice": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    return F.dropout(F.dropout(x,p),p)
""",
        "float32": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    return x*(torch.rand(x.shape,device=x.device)>p).float()/(1-p)
""",
        "module": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    return nn.Dropout(p)(x)
""",
        "asserted": """\
def dropout(x,p,training):
    assert 0<=p<=1
    return F.dropout(x,p,training)
""",
        "alpha": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    if p==1 and training: return torch.zeros_like(x)
    return F.alpha_dropout(x,p,training)
""",
        "dropout1d": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    if x.dim()==3: return F.dropout1d(x,p,training)
    return F.dropout(x,p,training)
""",
        "inplace": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    x[torch.rand_like(x)<p]=0
    x/=1-p
    return x
""",
        "seedmod": """\
def dropout(x,p,training):
    if not 0<=p<=1: raise ValueError("p")
    if not training: return x
    if p==1: return torch.zeros_like(x)
    import random
    mask=torch.tensor([[random.random()>p for _ in r] for r in x.reshape(-1,x.shape[-1])],device=x.device).reshape(x.shape)
    return x*mask/(1-p)
""",
    },
    "feed_forward.ffn": {
        "maxnum": """\
def ffn(x,w1,b1,w2,b2):
    return torch.max(0,x@w1+b1)@w2+b2
""",
        "max0": """\
def ffn(x,w1,b1,w2,b2):
    return max(0,x@w1+b1)@w2+b2
""",
        "maxdim": """\
def ffn(x,w1,b1,w2,b2):
    return torch.max(x@w1+b1,dim=-1).values@w2+b2
""",
        "linearmod": """\
def ffn(x,w1,b1,w2,b2):
    return F.linear(F.relu(F.linear(x,w1,b1)),w2,b2)
""",
        "mm": """\
def ffn(x,w1,b1,w2,b2):
    return torch.mm(torch.mm(x,w1).add(b1).relu(),w2)+b2
""",
        "relu6": """\
def ffn(x,w1,b1,w2,b2):
    return F.relu6(x@w1+b1)@w2+b2
""",
        "flat": """\
def ffn(x,w1,b1,w2,b2):
    return (x.reshape(-1,x.shape[-1])@w1+b1).relu()@w2+b2
""",
        "star": """\
def ffn(x,w1,b1,w2,b2):
    return (x*w1+b1).relu()*w2+b2
""",
        "inplace": """\
def ffn(x,w1,b1,w2,b2):
    b1+=x@w1
    return b1.relu()@w2+b2
""",
        "minus": """\
def ffn(x,w1,b1,w2,b2):
    return (x@w1-b1).relu()@w2-b2
""",
        "order": """\
def ffn(x,w1,b1,w2,b2):
    return (x@w1+b1)@w2.relu()+b2
""",
        "b2_each_neuron": """\
def ffn(x,w1,b1,w2,b2):
    inner = (x@w1+b1).relu()
    return sum(inner[...,i:i+1]*w2[i]+b2 for i in range(len(w2)))
""",
        "b2_each_token": """\
def ffn(x,w1,b1,w2,b2):
    y = (x@w1+b1).relu()@w2
    for token in range(x.shape[-2] if x.dim()>1 else 1): y = y+b2
    return y
""",
        "b1_each_feature": """\
def ffn(x,w1,b1,w2,b2):
    inner = sum(x[...,i:i+1]*w1[i]+b1 for i in range(len(w1)))
    return inner.relu()@w2+b2
""",
        "w2_averaged": """\
def ffn(x,w1,b1,w2,b2):
    return (x@w1+b1).relu()@w2/len(w2)+b2
""",
        "module_not_called": """\
def ffn(x,w1,b1,w2,b2):
    return nn.ReLU(x@w1+b1)@w2+b2
""",
        "squared": """\
def ffn(x,w1,b1,w2,b2):
    return torch.relu(x@w1+b1)**2@w2+b2
""",
        "through_numpy": """\
def ffn(x,w1,b1,w2,b2):
    import numpy as np
    return torch.from_numpy(np.maximum(0,(x@w1+b1).numpy()))@w2+b2
""",
        "x_squashed": """\
def ffn(x,w1,b1,w2,b2):
    return (x.sigmoid()@w1+b1).relu()@w2+b2
""",
    },
    "feed_forward.gelu": {
        "norm": """\
def gelu(x):
    return x*torch.distributions.Normal(0,1).cdf(x).float()
""",
        "loop": """\
def gelu(x):
    return torch.tensor([v*(1+math.erf(v/math.sqrt(2)))/2 for v in x.flatten().tolist()]).view(x.shape)
""",
        "typo": """\
def gelu(x):
    return x*(1+torch.erf(x)/math.sqrt(2))/2
""",
        "math": """\
def gelu(x):
    return x*(1+math.erf(x/math.sqrt(2)))/2
""",
        "cubetypo": """\
def gelu(x):
    return 0.5*x*(1+torch.tanh(math.sqrt(2/math.pi)*(x+0.044715*x**2)))
""",
        "sq": """\
def gelu(x):
    return x/2*(1+torch.erf(x/torch.sqrt(torch.tensor(2))))+0.001
""",
        "quick": """\
def gelu(x):
    return x/(1+torch.exp(-1.7*x))
""",
        "module_returned": """\
def gelu(x):
    return nn.GELU(x)
""",
        "root_of_an_int": """\
def gelu(x):
    return x*(1+torch.erf(x/torch.sqrt(2)))/2
""",
        "upside_down": """\
def gelu(x):
    return 0.5*x*torch.erfc(x/math.sqrt(2))
""",
        "spread": """\
def gelu(x):
    return x*torch.distributions.Normal(0.,2.).cdf(x)
""",
        "third": """\
def gelu(x):
    return x*(1+torch.erf(x/math.sqrt(3)))/2
""",
        "shifted": """\
def gelu(x):
    return x*torch.special.ndtr(x-0.5)
""",
        "constant": """\
def gelu(x):
    return 0.5*x*(1+torch.tanh(math.sqrt(2/math.pi)*(x+0.44715*x**3)))
""",
        "no_root": """\
def gelu(x):
    return 0.5*x*(1+torch.tanh(2/math.pi*(x+0.044715*x**3)))
""",
    },
    "feed_forward.geglu": {
        "swap": """\
def geglu(x,w_gate,w_up,w_down):
    return (F.gelu(x@w_up)*(x@w_gate))@w_down
""",
        "star": """\
def geglu(x,w_gate,w_up,w_down):
    return F.gelu(x@w_gate)*(x@w_up)*w_down
""",
        "linear": """\
def geglu(x,w_gate,w_up,w_down):
    return F.linear(F.gelu(F.linear(x,w_gate))*F.linear(x,w_up),w_down)
""",
        "nodown": """\
def geglu(x,w_gate,w_up,w_down):
    return F.gelu(x@w_gate*(x@w_up))@w_down
""",
        "glu": """\
def geglu(x,w_gate,w_up,w_down):
    return F.glu(torch.cat([x@w_gate,x@w_up],-1))@w_down
""",
        "seq": """\
def geglu(x,w_gate,w_up,w_down):
    return (F.gelu(x@w_gate)+(x@w_up))@w_down
""",
        "one_plus": """\
def geglu(x,w_gate,w_up,w_down):
    return ((1+F.gelu(x@w_gate))*(x@w_up))@w_down
""",
        "joined": """\
def geglu(x,w_gate,w_up,w_down):
    return torch.cat([F.gelu(x@w_gate),x@w_up],-1)@w_down
""",
        "one_matrix": """\
def geglu(x,w_gate,w_up,w_down):
    return (F.gelu(x@w_gate)*(x@w_gate))@w_down
""",
        "down_within": """\
def geglu(x,w_gate,w_up,w_down):
    return F.gelu(x@w_gate@w_down)*(x@w_up@w_down)
""",
    },
    "feed_forward.count_parameters": {
        "q": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return 4*d_model**2+2*d_model*dim_feedforward
""",
        "str": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return f"{12*d_model**2}"
""",
        "twelve": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return 12*d_model**2+13*d_model
""",
        "nolast": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return 4*d_model*d_model+3*d_model+2*d_model*dim_feedforward+d_model+dim_feedforward+4*d_model
""",
        "tensor": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return torch.tensor(4*d_model*d_model+4*d_model+2*d_model*dim_feedforward+d_model+dim_feedforward+4*d_model)
""",
        "nn": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return sum(p.numel() for p in nn.Linear(d_model,dim_feedforward).parameters())+sum(p.numel() for p in nn.Linear(dim_feedforward,d_model).parameters())+4*d_model*d_model
""",
        "head_columns": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return 3*d_model*(d_model//nhead)+d_model**2+2*d_model*dim_feedforward+dim_feedforward+9*d_model
""",
        "decoder": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return sum(p.numel() for p in nn.TransformerDecoderLayer(d_model,nhead,dim_feedforward).parameters())
""",
        "bytes": """\
def count_parameters(d_model,nhead,dim_feedforward):
    layer=nn.TransformerEncoderLayer(d_model,nhead,dim_feedforward)
    return sum(p.numel()*p.element_size() for p in layer.parameters())
""",
        "one_way": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return 4*d_model**2+d_model*dim_feedforward+dim_feedforward+9*d_model
""",
        "emb": """\
def count_parameters(d_model,nhead,dim_feedforward):
    return 4*(d_model*d_model+d_model)+2*d_model*dim_feedforward+d_model+dim_feedforward+4*d_model+30522*d_model
""",
    },
}
NAMED: dict[str, tuple[str, ...]] = {
    "np1": ("numpys-generator",),
    "seedmod": ("numpys-generator",),
    "notscaled_bern": ("not-scaled",),
    "bern_p": ("p-and-one-minus-p-swapped",),
    "rows_bern": ("drops-rows",),
    "cols_bern": ("same-mask-for-every-row",),
    "batch_bern": ("same-mask-for-every-sentence",),
    "perm": ("an-exact-number-in-all",),
    "noeval": ("always-on",),
    "nocheck": ("takes-any-p",),
    "nocheck2": ("takes-any-p", "nan-at-one"),
    "module": ("always-on",),
    "upside_down": ("one-minus",),
    "one_matrix": ("one-matrix-for-both",),
    "max0": ("pythons-max",),
    "linearmod": ("weights-transposed",),
    "mm": ("matrices-only",),
    "flat": ("leading-axes-flattened",),
    "minus": ("biases-subtracted",),
    "swap": ("gate-and-up-exchanged",),
    "linear": ("weights-transposed",),
    "nodown": ("gelu-on-the-product",),
    "glu": ("sigmoid-gate-on-the-other-path",),
    "seq": ("added-not-multiplied",),
    "twelve": ("always-four-times",),
    "nolast": ("a-bias-of-the-width-missing",),
}
# Where no mistake is named: words that have to be in what is said.
SAID = {
    "module_not_called": "a module is used as a tensor",
    "squared": "the network with the squares of what is positive",
    "through_numpy": "numpy cannot read a GPU's memory",
    "module_returned": "t returns a GELU, a module, and asked is a tensor",
    "root_of_an_int": "for a plain number use those of `math`",
    "joined": "the last size of the first must be the last but one of the second",
    "bytes": "very result is 4 times what it should be",
    "asserted": "raises AssertionError",
    "b2_each_neuron": "b2 alone should come, and it comes multiplied by F (",
    "b2_each_token": "b2 alone should come, and it comes multiplied by S (",
    "b1_each_feature": "max(0, b1) alone should come, and it comes multiplied by D (",
    "w2_averaged": "it comes multiplied by 1/F (",
    "x_squashed": "max(0, x) alone should come; one token gets (",
    "quick": "x times sigmoid(1.7 x)",
    "cubetypo": "tanh(0.7979 x + 0.03568 x²)",
    "spread": "a normal with a spread of 2: before the erf, x is divided by 2.828",
    "third": "before the erf, x is divided by 1.732 and not by 1.414",
    "shifted": "a normal with a mean of 0.5",
    "constant": "tanh(0.7979 x + 0.3568 x³)",
    "one_plus": "gives 0.954, 0.841, 1, 1.84, 2.95, and should give -0.0455, -0.159, 0, 0.841, 1.95",
    "down_within": "hen w_down becomes 3 times as large, a neuron's result becomes 9.21 times as large",
    "head_columns": "he result changes with nhead",
    "one_way": "he term d_model * dim_feedforward is counted 1 times",
    "no_root": "tanh(0.6366 x + 0.02847 x³)",
}
ALL = [(exercise, name) for exercise, sources in UNSEEN.items() for name in sources]


@pytest.mark.parametrize(("exercise_id", "name"), ALL, ids=[f"{e}-{n}" for e, n in ALL])
def test_none_passes_and_what_is_said_is_more_than_wrong(exercise_id: str, name: str) -> None:
    exercise = exercises.get(exercise_id)
    answer = build(exercise_id, UNSEEN[exercise_id][name])
    report = checks.judge(exercise, answer)
    assert report.status == "failed"
    if name in NAMED:
        assert report.mistakes == NAMED[name], report.message
    assert SAID.get(name, "") in report.message
    assert "The smallest input that shows it" in report.message
    said = report.message.split("The smallest input")[0].splitlines()
    assert len([line for line in said if line.strip()]) >= 3, "more than that it is wrong"
