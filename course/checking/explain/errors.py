"""Exceptions that say little to who meets them for the first time, in words."""

from __future__ import annotations

import re
from types import UnionType

from course.sandbox import guards

_WORDS: tuple[tuple[type[BaseException] | UnionType, str, str], ...] = (
    (
        SystemExit,
        "",
        "it ends Python itself, as `exit()`, `quit()`, `sys.exit()` and `os._exit()` do, which would end "
        "the kernel: `return` the result instead",
    ),
    (
        MemoryError,
        "",
        "it asks for more memory than one answer may take: is there a loop, or a size, without an end?",
    ),
    (
        RuntimeError,
        "can't allocate memory|not enough memory",
        "it asks for a tensor that is larger than the memory that one answer may take: print its shape",
    ),
    (
        RuntimeError,
        "Boolean value of Tensor with (more than one|no) value",
        "`if`, `while`, `and`, `or` and `not` need one True or False, and were given a tensor of several: "
        "write `is not None` to ask whether there is one, `.any()` or `.all()` to ask about its entries, "
        "and `torch.where` or `masked_fill` to choose entry by entry",
    ),
    (
        RuntimeError,
        "leaf Variable that requires grad|a view of a leaf",
        "it writes into a tensor that was given to it, and this one requires gradients, as a layer's weights "
        "do: make a new tensor (`torch.where`, `masked_fill`, `nan_to_num`) in place of the assignment",
    ),
    (
        RuntimeError,
        "modified by an inplace operation",
        "it writes into a tensor that the backward pass still needs: make a new one in place of the "
        "assignment or of the function that ends in `_`",
    ),
    (
        RuntimeError,
        "numpy\\(\\) on Tensor that requires grad",
        "numpy cannot follow gradients: compute it with torch's functions",
    ),
    (
        RuntimeError,
        "view size is not compatible with input tensor's size and stride",
        "`view` needs the numbers to lie in memory in their new order; after a transpose, or where the caller "
        "gives a slice, they don't: `reshape` copies them where it must",
    ),
    (
        RuntimeError,
        "same dtype.*\\b(long int|int|bool|unsigned char)\\b|scalar type (Long|Int|Bool) but found [FDHB]|"
        "scalar type [FDH]\\w+ but found (Long|Int|Bool)",
        "an integer tensor meets one of floats: give it the other's dtype, with `.to(x.dtype)`",
    ),
    (
        RuntimeError,
        "same dtype|expected scalar type|source and destination dtypes match",
        "two floating dtypes meet, and what is made without `dtype=` is float32: make it by `zeros_like`, "
        "`new_zeros`, or with `dtype=x.dtype`",
    ),
    (
        RuntimeError | ValueError,
        "only (one element|single-element) tensors can be converted|cannot be converted to Scalar",
        "`int()`, `float()` and `.item()` take a tensor of one number, and this one has several",
    ),
    (
        RuntimeError,
        "must match the size of tensor|must match the existing size|not broadcastable",
        "two shapes do not fit: written below one another from the right, each pair of sizes must be equal or "
        "one of them 1. Print both shapes there",
    ),
    (
        RuntimeError,
        "shapes cannot be multiplied|[Ee]xpected size for first two dim|inconsistent tensor size",
        "in a matrix product the last size of the first must be the last but one of the second: is a transpose "
        "missing, or one too many?",
    ),
    (
        TypeError | AttributeError,
        "must be Tensor, not tuple|'tuple'",
        "a tuple of several results is used as a tensor: a function with several results gives all of them. "
        "nn.MultiheadAttention returns the output and the weights, `max`, `sort` and `topk` with a `dim` return "
        "numbers and places: take the one that you need, as in `output, _ = ...` or with `[0]`",
    ),
    (
        TypeError | AttributeError,
        "NoneType",
        "something is None there: an argument that may be left out, or the result of a function that has no "
        "`return`",
    ),
    (
        Exception,
        "must be Tensor, not (?!tuple|NoneType|int|float|bool|list|str|dict)[A-Z]\\w+|operand type.*'(ReLU|GELU|Dropout|Linear|LayerNorm)'",
        "a module is used as a tensor. `nn.ReLU(x)` makes one and takes x for a setting of it; a module is made "
        "first and then called, as in `nn.ReLU()(x)`",
    ),
    (
        Exception,
        "Expected key_padded_mask",
        "the padding mask does not fit the input's axes: does the module know that the batch comes first "
        "(`batch_first=True`), and are the masks handed on by name? (After query, key and value it takes "
        "key_padding_mask, need_weights and attn_mask, in this order.)",
    ),
    (
        Exception,
        "multiple values for argument '(need_weights|attn_mask|key_padding_mask)'",
        "after query, key and value nn.MultiheadAttention takes key_padding_mask, need_weights and attn_mask, in "
        "this order: hand the masks on by name",
    ),
    (
        Exception,
        "must be Tensor, not (function|method)|'function' object has no|operand type.*'(function|method)'",
        "a function is used as a tensor: it has to be called, with brackets and what it takes",
    ),
    (
        TypeError,
        "must be Tensor, not (int|float)$",
        "torch's functions take tensors: for a plain number use those of `math`",
    ),
    (
        RuntimeError,
        "mixed dtype",
        "two dtypes meet. What is made inside of the answer is float32 unless it is told, and the inputs may be "
        "float64 or half precision: use the tensors that are given, or `dtype=x.dtype`",
    ),
    (
        AttributeError,
        "before Module.__init__\\(\\) call",
        "`super().__init__()` has to come first in `__init__`: it makes the place where a module keeps its parts",
    ),
    (
        NotImplementedError,
        'missing the required "forward"',
        "the class has no method that is called `forward`: are its name and its indentation right?",
    ),
    (
        EOFError,
        "",
        "it asks for input, and in a check nobody answers: take everything from the arguments",
    ),
)


def in_words(error: BaseException) -> str:
    """What an exception means and what to do, or ""."""
    text = guards.safe_text(error)
    for kind, pattern, words in _WORDS:
        if isinstance(error, kind) and re.search(pattern, text):
            return words
    return ""
