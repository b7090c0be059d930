"""Wrong answers that are listed nowhere: none passes, and what is said of them is more than "wrong"."""

# ruff: noqa: E501  (wrong answers as people write them)

import math

import pytest
import torch

from course.checking import checks
from course.checking.exercise import build
from course.checking.explain import diagnosis
from course.content import exercises
from course.sandbox import guards

UNSEEN = {
    "attention.softmax": {
        "nan1": """\
def softmax(x,dim):
    e=torch.exp(x-x.max())
    return e/e.sum(dim,keepdim=True)
""",
        "noKeep": """\
def softmax(x,dim):
    e=torch.exp(x-x.amax(dim))
    return e/e.sum(dim)
""",
        "clampmin": """\
def softmax(x,dim):
    x=x.clamp(-50,50)
    return torch.softmax(x,dim)
""",
        "round": """\
def softmax(x,dim):
    return torch.softmax(x,dim).nan_to_num(0).round(decimals=4)
""",
        "numpy": """\
def softmax(x,dim):
    import numpy as np
    a=x.detach().numpy(); m=np.max(a,axis=dim,keepdims=True); m[m==-np.inf]=0; e=np.exp(a-m); s=e.sum(dim,keepdims=True); s[s==0]=1
    return torch.from_numpy(e/s)
""",
        "temp": """\
def softmax(x,dim):
    return torch.softmax(x/2,dim).nan_to_num(0)
""",
        "relu": """\
def softmax(x,dim):
    x=x.relu()
    return x/x.sum(dim,keepdim=True)
""",
        "l2": """\
def softmax(x,dim):
    return torch.nn.functional.normalize(x.nan_to_num(0),dim=dim)
""",
        "swapdim": """\
def softmax(x,dim):
    return torch.softmax(x, -1 if dim==0 else dim).nan_to_num(0)
""",
        "absdim": """\
def softmax(x,dim):
    return torch.softmax(x, abs(dim) if dim!=-1 else -1).nan_to_num(0)
""",
        "half": """\
def softmax(x,dim):
    return torch.softmax(x.half(),dim).nan_to_num(0).to(x.dtype)
""",
        "f32": """\
def softmax(x,dim):
    return torch.softmax(x.float(),dim).nan_to_num(0).to(x.dtype)
""",
        "loopforever": """\
def softmax(x,dim):
    while True: pass
""",
        "loopexcept": """\
def softmax(x,dim):
    while True:
        try:
            x=x+0
        except:
            pass
""",
        "print": """\
def softmax(x,dim):
    print('hello '*1000)
    return x
""",
        "seed": """\
def softmax(x,dim):
    torch.manual_seed(0)
    return torch.softmax(x,dim).nan_to_num(0)
""",
        "none": """\
def softmax(x,dim):
    torch.softmax(x,dim)
""",
        "list": """\
def softmax(x,dim):
    return torch.softmax(x,dim).nan_to_num(0).tolist()
""",
        "syntaxname": """\
def softmax(x,dim):
    return torch.sofmax(x,dim)
""",
        "argcount": """\
def softmax(x):
    return torch.softmax(x,-1)
""",
        "random": """\
def softmax(x,dim):
    return torch.softmax(x+torch.randn_like(x)*1e-3,dim).nan_to_num(0)
""",
        "ones": """\
def softmax(x,dim):
    return torch.ones_like(x)/x.shape[dim]
""",
        "exit": """\
def softmax(x,dim):
    raise SystemExit
""",
        "rec": """\
def softmax(x,dim):
    return softmax(x,dim)
""",
        "inplaceexp": """\
def softmax(x,dim):
    x.exp_(); return x/x.sum(dim,keepdim=True)
""",
    },
    "attention.scores": {
        "log": """\
def scores(q,k):
    return q@k.mT/math.log(q.shape[-1])
""",
        "cube": """\
def scores(q,k):
    return q@k.mT/q.shape[-1]**(1/3)
""",
        "times2": """\
def scores(q,k):
    return 2*q@k.mT/math.sqrt(q.shape[-1])
""",
        "sqrt2d": """\
def scores(q,k):
    return q@k.mT/math.sqrt(2*q.shape[-1])
""",
        "dminus1": """\
def scores(q,k):
    return q@k.mT/math.sqrt(q.shape[-1]-1)
""",
        "neg": """\
def scores(q,k):
    return -(q@k.mT)/math.sqrt(q.shape[-1])
""",
        "numel": """\
def scores(q,k):
    return q@k.mT/math.sqrt(q.numel())
""",
        "lens": """\
def scores(q,k):
    return q@k.mT/math.sqrt(len(q))
""",
        "twice": """\
def scores(q,k):
    return q@k.mT/math.sqrt(q.shape[-1])/math.sqrt(q.shape[-1])/math.sqrt(q.shape[-1])
""",
        "sum": """\
def scores(q,k):
    return (q.unsqueeze(-2)*k.unsqueeze(-3)).mean(-1)
""",
        "batch0": """\
def scores(q,k):
    return q@k[:1].mT/math.sqrt(q.shape[-1])
""",
        "bmm": """\
def scores(q,k):
    return torch.bmm(q,k.transpose(1,2))/math.sqrt(q.shape[-1])
""",
        "view": """\
def scores(q,k):
    a=q.view(-1,q.shape[-2],q.shape[-1]); b=k.view(-1,k.shape[-2],k.shape[-1])
    return (torch.bmm(a,b.transpose(1,2))/math.sqrt(q.shape[-1])).view(*q.shape[:-1],k.shape[-2])
""",
        "float": """\
def scores(q,k):
    return (q.float()@k.float().mT/math.sqrt(q.shape[-1]))
""",
        "float2": """\
def scores(q,k):
    return (q.float()@k.float().mT/math.sqrt(q.shape[-1])).to(q.dtype)
""",
        "item": """\
def scores(q,k):
    return torch.tensor((q@k.mT/math.sqrt(q.shape[-1])).tolist(),dtype=q.dtype)
""",
        "relu": """\
def scores(q,k):
    return (q@k.mT/math.sqrt(q.shape[-1])).relu()
""",
        "maskcausal": """\
def scores(q,k):
    return (q@k.mT/math.sqrt(q.shape[-1])).tril()
""",
        "einsumwrong": """\
def scores(q,k):
    return torch.einsum('...ld,...sd->...sl',q,k)/math.sqrt(q.shape[-1])
""",
        "elementwise": """\
def scores(q,k):
    return q*k/math.sqrt(q.shape[-1])
""",
        "unscaled_swapped": """\
def scores(q,k):
    return k@q.mT
""",
        "qdetach": """\
def scores(q,k):
    return q.detach()@k.mT/math.sqrt(q.shape[-1])
""",
        "bias": """\
def scores(q,k):
    return q@k.mT/math.sqrt(q.shape[-1])+1
""",
        "center": """\
def scores(q,k):
    q=q-q.mean(-1,keepdim=True)
    return q@k.mT/math.sqrt(q.shape[-1])
""",
        "clip": """\
def scores(q,k):
    return (q@k.mT/math.sqrt(q.shape[-1])).clamp(-1,1)
""",
        "lastq": """\
def scores(q,k):
    r=q@k.mT/math.sqrt(q.shape[-1]); r=r.clone(); r[...,-1,:]=0; return r
""",
        "norm": """\
def scores(q,k):
    r=q@k.mT; return r/r.std()
""",
        "kfix": """\
def scores(q,k):
    return q@k.mT/math.sqrt(64)
""",
    },
    "attention.scaled_dot_product": {
        "posmask": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "mulmask": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r*~mask
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "addbig": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r+mask*-1e4
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "maskT": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask.mT,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "maskout": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    w=torch.softmax(r,-1)
    o=w@v
    return o,w
""",
        "renorm": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    w=torch.softmax(r,-1)
    if mask is not None:
        w=w.masked_fill(mask,0); w=w/w.sum(-1,keepdim=True)
    return w@v,w
""",
        "sdpa": """\
def scaled_dot_product(q,k,v,mask=None):
    o=F.scaled_dot_product_attention(q,k,v,attn_mask=mask)
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(~mask,float('-inf'))
    return o,torch.softmax(r,-1).nan_to_num(0)
""",
        "dropout": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=F.dropout(torch.softmax(r,-1).nan_to_num(0),0.1)
    return w@v,w
""",
        "onlyout3": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w,r
""",
        "wT": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w.mT
""",
        "sqrtv": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(v.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "maskbool": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "mask_eq0": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask==0,-1e9)
    w=torch.softmax(r,-1)
    return w@v,w
""",
        "noscale_nan": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1)
    return w@v,w
""",
        "triple": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT
    if mask is not None: r=r.masked_fill(~mask,-1e9)
    w=torch.softmax(r,-2)
    return w@v,w
""",
        "sigmoid": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.sigmoid(r)
    return w@v,w
""",
        "eps": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v+1e-3,w
""",
        "diag": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    L,S=r.shape[-2:]
    if mask is None: mask=torch.ones(L,S,dtype=torch.bool).triu(1)
    r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "maskdim": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask.unsqueeze(1),float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w
""",
        "outzero": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,-1e9)
    w=torch.softmax(r,-1)
    o=w@v
    if mask is not None: o=o.masked_fill(mask.all(-1,keepdim=True),0)
    return o,w
""",
        "kv": """\
def scaled_dot_product(q,k,v,mask=None):
    r=k@q.mT/math.sqrt(q.shape[-1])
    w=torch.softmax(r,-1)
    return w@v,w
""",
        "onemax": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,-math.inf)
    e=(r-r.max()).exp(); s=e.sum(-1,keepdim=True)
    w=e/s.masked_fill(s==0,1)
    return w@v,w
""",
        "maxfirst": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    e=(r-r.amax(-1,keepdim=True)).exp()
    if mask is not None: e=e.masked_fill(mask,0)
    s=e.sum(-1,keepdim=True)
    w=e/s.masked_fill(s==0,1)
    return w@v,w
""",
        "smallcut": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,-math.inf)
    w=torch.softmax(r,-1).nan_to_num(0)
    w=torch.where(w<1e-3,0,w)
    return w@v,w
""",
        "residual": """\
def scaled_dot_product(q,k,v,mask=None):
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    w=torch.softmax(r,-1).nan_to_num(0)
    return w@v,w.detach()
""",
    },
    "attention.split_heads": {
        "permBSHD": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    B,S,D=x.shape
    return x.view(B,S,n,D//n).permute(0,3,1,2)
""",
        "flip": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    B,S,D=x.shape
    return x.view(B,S,n,D//n).transpose(1,2).flip(1)
""",
        "typeerr": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise TypeError('bad')
    B,S,D=x.shape
    return x.view(B,S,n,D//n).transpose(1,2)
""",
        "none": """\
def split_heads(x,n):
    if x.shape[-1]%n: return None
    B,S,D=x.shape
    return x.view(B,S,n,D//n).transpose(1,2)
""",
        "tokmix2": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    B,S,D=x.shape
    return x.transpose(1,2).reshape(B,n,S,D//n)
""",
        "fixed": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    B,S,D=x.shape
    return x.view(B,S,12,32).transpose(1,2)
""",
        "contig": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    B,S,D=x.shape
    return torch.as_strided(x,(B,n,S,D//n),(S*D,D//n,D,1))
""",
        "repeat": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    return x.unsqueeze(1).repeat(1,n,1,1)
""",
        "scaled": """\
def split_heads(x,n):
    if x.shape[-1]%n: raise ValueError("not divisible by nhead")
    B,S,D=x.shape
    return x.view(B,S,n,D//n).transpose(1,2)/n
""",
    },
    "attention.multi_head": {
        "sum": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=(x@wi.T+bi).chunk(3,-1)
    o,_=scaled_dot_product(split_heads(q,n),split_heads(k,n),split_heads(v,n),mask)
    return merge_heads(o)@wo.T-bo
""",
        "scalex": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=(x@wi.T+bi).chunk(3,-1)
    o,_=scaled_dot_product(split_heads(q,n)*2,split_heads(k,n),split_heads(v,n),mask)
    return merge_heads(o)@wo.T+bo
""",
        "twicescale": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=(x@wi.T+bi).chunk(3,-1)
    d=q.shape[-1]//n
    o,_=scaled_dot_product(split_heads(q,n)/d**.5,split_heads(k,n),split_heads(v,n),mask)
    return merge_heads(o)@wo.T+bo
""",
        "swapbias": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=(x@wi.T).chunk(3,-1)
    D=x.shape[-1]
    q=q+bi[D:2*D];k=k+bi[:D];v=v+bi[2*D:]
    o,_=scaled_dot_product(split_heads(q,n),split_heads(k,n),split_heads(v,n),mask)
    return merge_heads(o)@wo.T+bo
""",
        "maskunsq": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=(x@wi.T+bi).chunk(3,-1)
    if mask is not None: mask=mask[:,None]
    o,_=scaled_dot_product(split_heads(q,n),split_heads(k,n),split_heads(v,n),mask)
    return merge_heads(o)@wo.T+bo
""",
        "rowszero": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=(x@wi.T+bi).chunk(3,-1)
    o,_=scaled_dot_product(split_heads(q,n),split_heads(k,n),split_heads(v,n),mask)
    r=merge_heads(o)@wo.T+bo
    if mask is not None: r=r.masked_fill(torch.broadcast_to(mask,(x.shape[0],n,x.shape[1],x.shape[1])).all(-1).all(1).unsqueeze(-1),0)
    return r
""",
        "novbias": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    D=x.shape[-1]; bi=bi.clone(); bi[2*D:]=0
    q,k,v=(x@wi.T+bi).chunk(3,-1)
    o,_=scaled_dot_product(split_heads(q,n),split_heads(k,n),split_heads(v,n),mask)
    return merge_heads(o)@wo.T+bo
""",
        "nn": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    m=nn.MultiheadAttention(x.shape[-1],n,batch_first=True,dtype=x.dtype)
    return m(x,x,x)[0]
""",
        "interl_heads": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    B,S,D=x.shape
    q,k,v=[p.reshape(B,S,D//n,n).permute(0,3,1,2) for p in (x@wi.T+bi).chunk(3,-1)]
    o,_=scaled_dot_product(q,k,v,mask)
    return merge_heads(o)@wo.T+bo
""",
        "unsafe": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=[split_heads(p,n) for p in (x@wi.T+bi).chunk(3,-1)]
    e=(q@k.mT/math.sqrt(q.shape[-1])).exp()
    if mask is not None: e=e.masked_fill(mask,0)
    s=e.sum(-1,keepdim=True)
    return merge_heads(e/s.masked_fill(s==0,1)@v)@wo.T+bo
""",
        "onemax": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=[split_heads(p,n) for p in (x@wi.T+bi).chunk(3,-1)]
    r=q@k.mT/math.sqrt(q.shape[-1])
    if mask is not None: r=r.masked_fill(mask,-math.inf)
    e=(r-r.max()).exp(); s=e.sum(-1,keepdim=True)
    return merge_heads(e/s.masked_fill(s==0,1)@v)@wo.T+bo
""",
        "renormed": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=[split_heads(p,n) for p in (x@wi.T+bi).chunk(3,-1)]
    w=torch.softmax(q@k.mT/math.sqrt(q.shape[-1]),-1)
    if mask is not None:
        w=w.masked_fill(mask,0); s=w.sum(-1,keepdim=True)
        w=w/s.masked_fill(s==0,1)
    return merge_heads(w@v)@wo.T+bo
""",
        "noscalenobias": """\
def multi_head(x,wi,bi,wo,bo,n,mask=None):
    q,k,v=[split_heads(p,n) for p in (x@wi.T).chunk(3,-1)]
    r=q@k.mT
    if mask is not None: r=r.masked_fill(mask,float('-inf'))
    return merge_heads(softmax(r,-1)@v)@wo.T+bo
""",
    },
    "attention.entropy": {
        "nats2": """\
def entropy(w):
    return (w*w.log()).nansum(-1)
""",
        "clampbig": """\
def entropy(w):
    return -(w*w.clamp(min=1e-3).log()).sum(-1)
""",
        "renyi": """\
def entropy(w):
    return -(w*w).sum(-1).log()
""",
        "kl": """\
def entropy(w):
    return (w*(w*w.shape[-1]).log()).nansum(-1)
""",
        "absx": """\
def entropy(w):
    return (w*w.log()).nansum(-1).abs()*1.01
""",
        "max": """\
def entropy(w):
    return -(w.amax(-1)).log()
""",
        "binary": """\
def entropy(w):
    return (torch.special.entr(w)+torch.special.entr(1-w)).sum(-1)
""",
        "nanrow": """\
def entropy(w):
    return torch.distributions.Categorical(probs=w).entropy()
""",
        "mean": """\
def entropy(w):
    return torch.special.entr(w).sum(-1).mean()
""",
        "eps8": """\
def entropy(w):
    return -(w*(w+1e-8).log()).sum(-1)
""",
        "keepmean": """\
def entropy(w):
    return torch.special.entr(w).sum(-1).mean(0)
""",
    },
    "attention.causal_mask": {
        "str": """\
def causal_mask(n):
    return [[j>i for j in range(n)] for i in range(n)]
""",
        "inflike": """\
def causal_mask(n):
    return torch.zeros(n,n).masked_fill(torch.ones(n,n).triu(1).bool(),float('-inf'))
""",
        "off": """\
def causal_mask(n):
    return torch.ones(n+1,n+1,dtype=torch.bool).triu(1)
""",
        "band": """\
def causal_mask(n):
    m=torch.ones(n,n,dtype=torch.bool).triu(1); return m | torch.ones(n,n,dtype=torch.bool).tril(-3)
""",
        "firstcol": """\
def causal_mask(n):
    m=torch.ones(n,n,dtype=torch.bool).triu(1); m[:,0]=True; return m
""",
        "lastrow": """\
def causal_mask(n):
    m=torch.ones(n,n,dtype=torch.bool).triu(1); m[-1]=True; return m
""",
        "np": """\
def causal_mask(n):
    import numpy as np
    return np.triu(np.ones((n,n),bool),1)
""",
        "xor": """\
def causal_mask(n):
    return torch.eye(n,dtype=torch.bool)
""",
    },
    "attention.padding_mask": {
        "lastreal": """\
def padding_mask(l,n):
    return torch.arange(n,device=l.device)>=l[:,None]-1
""",
        "loopinv": """\
def padding_mask(l,n):
    m=torch.zeros(len(l),n,dtype=torch.bool,device=l.device)
    for i,x in enumerate(l): m[i,:x]=True
    return m
""",
        "loopcpu": """\
def padding_mask(l,n):
    m=torch.zeros(len(l),n,dtype=torch.bool)
    for i,x in enumerate(l): m[i,x:]=True
    return m
""",
        "loopone": """\
def padding_mask(l,n):
    m=torch.zeros(len(l),n,dtype=torch.bool,device=l.device)
    for i,x in enumerate(l): m[i,x:]=True
    return m[0]
""",
        "neg": """\
def padding_mask(l,n):
    m=torch.ones(len(l),n,dtype=torch.bool,device=l.device)
    for i,x in enumerate(l): m[i,:-x]=False
    return m
""",
        "sorted": """\
def padding_mask(l,n):
    l=l.sort().values
    return torch.arange(n,device=l.device)>=l[:,None]
""",
    },
    "attention.merge_heads": {
        "p": """\
def merge_heads(x):
    B,H,S,D=x.shape
    return x.permute(0,3,2,1).reshape(B,S,-1)
""",
        "p2": """\
def merge_heads(x):
    B,H,S,D=x.shape
    return x.permute(0,2,1,3).reshape(B,-1,H*D)[:, :S-1]
""",
        "max": """\
def merge_heads(x):
    return x.amax(1)
""",
        "batch": """\
def merge_heads(x):
    B,H,S,D=x.shape
    return x.transpose(0,2).reshape(B,S,H*D)
""",
        "view12": """\
def merge_heads(x):
    return x.contiguous().view(x.size(0),x.size(2),-1)
""",
        "dup": """\
def merge_heads(x):
    return torch.cat([x[:,0]]*x.shape[1],-1)
""",
    },
}

# What every wrong answer is told: by itself it names nothing.
EMPTY = ("right shape and wrong numbers", "numbers are wrong", "the largest difference is at")


def _judged(exercise_id, source):
    return checks.judge(exercises.get(exercise_id), build(exercise_id, source))


def _is_told(report):
    if report.mistakes:
        return True
    found = dict(report.sections)["What was found"].splitlines()
    return any(not any(empty in line for empty in EMPTY) for line in found)


@pytest.mark.parametrize("exercise_id", UNSEEN)
def test_none_passes_and_nine_in_ten_are_told_what_is_wrong(exercise_id, monkeypatch):
    diagnosis.references(exercise_id)  # not from an answer's time, which is short here
    monkeypatch.setattr(guards, "SECONDS", 0.5)
    reports = {name: _judged(exercise_id, source) for name, source in UNSEEN[exercise_id].items()}
    assert not [name for name, report in reports.items() if report.status != "failed"]
    untold = [name for name, report in reports.items() if not _is_told(report)]
    assert len(untold) <= 0.1 * len(reports), untold


RIGHT_AFTER_ALL = {
    # Another way through the axes, with the same result.
    "attention.split_heads": """
def split_heads(x, n):
    if x.shape[-1] % n:
        raise ValueError("not divisible by nhead")
    B, S, D = x.shape
    return x.transpose(1, 2).reshape(B, n, D // n, S).transpose(2, 3)
""",
    # The key's bias adds the same to all scores of a query: the softmax forgets it.
    "attention.multi_head": """
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    D = x.shape[-1]
    b_in = b_in.clone()
    b_in[D : 2 * D] = 0
    parts = (split_heads(part, nhead) for part in (x @ w_in.T + b_in).chunk(3, -1))
    return merge_heads(scaled_dot_product(*parts, mask)[0]) @ w_out.T + b_out
""",
}


@pytest.mark.parametrize("exercise_id", RIGHT_AFTER_ALL)
def test_what_only_looks_wrong_passes(exercise_id):
    report = _judged(exercise_id, RIGHT_AFTER_ALL[exercise_id])
    assert report.passed, report.message


def test_a_mistake_in_a_part_that_was_written_out_is_named():
    """Who writes attention out inside of multi_head makes the mistakes of attention."""

    def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
        batch, length, width = x.shape
        parts = (x @ w_in.T + b_in).chunk(3, dim=-1)
        query, key, value = (t.view(batch, length, nhead, -1).transpose(1, 2) for t in parts)
        raw = query @ key.transpose(-2, -1) / math.sqrt(width // nhead)
        if mask is not None:
            raw = raw.masked_fill(mask, 0.0)
        joined = (torch.softmax(raw, -1) @ value).transpose(1, 2).reshape(batch, length, width)
        return joined @ w_out.T + b_out

    report = checks.judge(exercises.get("attention.multi_head"), multi_head)
    assert report.mistakes == ("attention.scaled_dot_product/filled-with-zero",)
    assert "In what scaled_dot_product does:" in report.message


def test_what_is_right_tells_which_part_is_wrong():
    def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
        batch, length, width = x.shape
        parts = (x @ w_in.T + b_in).chunk(3, dim=-1)
        query, key, value = (t.view(batch, length, nhead, -1).transpose(1, 2) for t in parts)
        raw = torch.tanh(query @ key.transpose(-2, -1) / math.sqrt(width // nhead))
        if mask is not None:
            raw = raw.masked_fill(mask, -math.inf)
        weights = torch.softmax(raw, -1).nan_to_num(0.0)
        joined = (weights @ value).transpose(1, 2).reshape(batch, length, width)
        return joined @ w_out.T + b_out

    report = checks.judge(exercises.get("attention.multi_head"), multi_head)
    assert report.mistakes == ()
    assert "the scores, their scale, the mask or the softmax are not" in report.message


def _found(exercise_id, source, monkeypatch):
    """What is said of an answer that is no known mistake; pairs of mistakes are not looked for."""
    monkeypatch.setattr(diagnosis, "PAIR_SECONDS", 0.0)
    report = _judged(exercise_id, source)
    assert report.status == "failed"
    assert report.mistakes == ()
    return dict(report.sections)["What was found"]


def test_a_head_that_is_wrong_is_told_from_behind_the_output_projection(monkeypatch):
    source = """
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    query, key, value = (split_heads(p, nhead) for p in (x @ w_in.T + b_in).chunk(3, -1))
    output = scaled_dot_product(query, key, value, mask)[0]
    output = torch.cat([output[:, :1], torch.zeros_like(output[:, 1:])], 1)
    return merge_heads(output) @ w_out.T + b_out
"""
    found = _found("attention.multi_head", source, monkeypatch)
    assert "Seen before the output projection, head by head: along H only index 0 is right" in found


def test_what_is_right_beside_what_is_wrong_is_told(monkeypatch):
    source = """
def scaled_dot_product(query, key, value, mask=None):
    raw = scores(query, key)
    raw = raw if mask is None else raw.masked_fill(mask, -math.inf)
    weights = softmax(raw, -1)
    return weights @ (value - value.mean(-2, keepdim=True)), weights
"""
    found = _found("attention.scaled_dot_product", source, monkeypatch)
    assert "The weights are right everywhere: the mistake is in what makes the output" in found


def test_a_mask_s_fault_is_not_laid_on_the_heads(monkeypatch):
    """With a single head there is no mask in the trials: that it is right says nothing of heads."""
    source = """
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    query, key, value = (split_heads(p, nhead) for p in (x @ w_in.T + b_in).chunk(3, -1))
    mask = None if mask is None else mask | mask.mT
    return merge_heads(scaled_dot_product(query, key, value, mask)[0]) @ w_out.T + b_out
"""
    found = _found("attention.multi_head", source, monkeypatch)
    assert "It is right except with a mask" in found
    assert "what several heads do is wrong" not in found


def test_what_is_wrong_for_a_single_token_too_is_told(monkeypatch):
    source = """
def multi_head(x, w_in, b_in, w_out, b_out, nhead, mask=None):
    (w_q, w_k, w_v), (b_q, b_k, b_v) = w_in.chunk(3), b_in.chunk(3)
    query, key, value = x @ w_q.T + b_q, x @ w_k.T + b_k, x @ w_v + b_v
    parts = (split_heads(part, nhead) for part in (query, key, value))
    return merge_heads(scaled_dot_product(*parts, mask)[0]) @ w_out.T + b_out
"""
    found = _found("attention.multi_head", source, monkeypatch)
    assert "With a single token it is wrong too: its weight is 1 whatever the scores are" in found


def test_from_which_input_on_it_is_wrong_is_told(monkeypatch):
    found = _found("feed_forward.gelu", "def gelu(x): return F.gelu(x.clamp(-3, 3))", monkeypatch)
    assert "wrong are only the numbers whose input is beyond ±3" in found.replace("Wrong", "wrong")


def test_what_came_is_said_only_where_it_came_everywhere(monkeypatch):
    """Two rows of which one underflows look like one softmax over both; other inputs say no."""
    source = """
def softmax(x, dim):
    powers = (x - x.amax(dim, keepdim=True).clamp(min=-1e4)).exp()
    return powers / powers.sum(dim, keepdim=True).clamp(min=1e-30)
"""
    assert "over all numbers" not in _found("attention.softmax", source, monkeypatch)
