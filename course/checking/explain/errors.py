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
        "destination dtypes match, got (Int|Long|Short|Byte|Bool) for .* (Int|Long|Short|Byte|Bool) for",
        "two kinds of whole numbers meet: `randint`, `arange`, `argmax` and the like make int64 unless they are told "
        "`dtype=`, and the input may be int32",
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
        "`int()`, `float()`, `.item()` and the functions of `math` take one number, and this tensor has several: "
        "torch has functions of the same names for tensors",
    ),
    (
        RuntimeError,
        "stack expects each tensor to be equal size",
        "`torch.stack` joins tensors of one shape: take a single number of each first, or join the flattened ones "
        "with `torch.cat`",
    ),
    (
        RuntimeError | ValueError,
        "stack expects a non-empty|expected a non-empty list of Tensors",
        "the list is empty for this input, and `stack` and `cat` need one tensor at least: what should come then?",
    ),
    (
        RuntimeError,
        "selected index k out of range",
        "`topk` is asked for more entries than the axis has: along which axis should it look?",
    ),
    (
        TypeError | IndexError,
        "'float' object cannot be interpreted as an integer|must be tuple of ints, ?but got float|"
        "must be (int|tuple of ints), not float|element of type float|slice indices must be integers|"
        "indices must be integers[^,]*, not float|valid indices \\(got float\\)|non-int of type 'float'",
        "a size, a count or an index must be an int, and this one is a float: `/` always makes a float, `//` of "
        "two ints an int",
    ),
    (
        RuntimeError | TypeError,
        "bool tensors?,? is not supported|^~ \\(operator\\.invert\\)",
        "`~mask` turns a mask round, and the mask must be boolean for it; `1 - mask` and `-mask` need numbers, "
        "which `mask.to(x.dtype)` makes",
    ),
    (
        RuntimeError,
        "only supports boolean masks",
        "the mask must be boolean: a comparison makes one, such as `x == 0`, and so does `.bool()`",
    ),
    (
        IndexError,
        "The shape of the mask",
        "in `x[mask]` the mask must have x's own shape, or that of the axes where it stands: it does not broadcast. "
        "`masked_fill(mask, value)` and `torch.where` broadcast it",
    ),
    (
        IndexError,
        "too many indices for tensor|invalid index of a 0-dim tensor",
        "the tensor has fewer axes than the brackets name (a boolean mask counts for as many as it has itself). "
        "`...` stands for all the axes in front, however many there are",
    ),
    (
        IndexError,
        "Dimension out of range|Dimension specified as",
        "the tensor has no such axis. Counted from the end, -1 is the last one, however many stand in front",
    ),
    (
        IndexError,
        "out of bounds for dimension|^list index out of range|^string index out of range",
        "n entries have the indices 0 to n - 1, and this index lies beyond them",
    ),
    (
        IndexError,
        "tensors used as indices must be",
        "an index holds whole numbers or booleans; of what `max`, `sort` and `topk` return, it is `.indices`",
    ),
    (
        IndexError,
        "^Target -?\\d+ is out of bounds",
        "a label is no class. `F.cross_entropy` leaves out the labels that equal its `ignore_index`, which is -100 "
        "where it is not told",
    ),
    (
        RuntimeError,
        "Expected target size|[Ee]xpected target dtype|Expected input batch_size",
        "`F.cross_entropy` takes logits (N, C) and whole numbers (N,) as labels, with the classes on axis 1: "
        "`logits.flatten(0, 1)` and `labels.flatten()` bring (B, S, C) and (B, S) into that shape",
    ),
    (
        RuntimeError | NotImplementedError,
        "could not infer output dtype|not implemented for '(Long|Int|Bool|Byte)'",
        "this function needs floats, and the tensor holds whole numbers or booleans: `.to(x.dtype)` or `.float()` "
        "converts them",
    ),
    (
        RuntimeError,
        "is invalid for input of size",
        "`view` and `reshape` keep all the numbers: the product of the new sizes must be that of the old ones",
    ),
    (
        KeyError,
        "",
        "the dict has no such key: ask with `in`, or take `.get(key, default)`",
    ),
    (
        UnboundLocalError,
        "",
        "the name gets its value on some paths only, in an `if` or a loop, and this call took another",
    ),
    (
        NameError,
        "",
        "nothing has that name when the function runs: a misspelling, or an import or a helper that no cell holds",
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
        TypeError | AttributeError | ValueError,
        "return_types\\.(max|min|median|mode|kthvalue|cummax|cummin|aminmax)\\b",
        "with a `dim`, `max` returns a pair, the numbers and their places, and so do `min` and `median`: take the "
        "numbers with `.values` or `[0]`; `amax` and `amin` return them alone",
    ),
    (
        TypeError | AttributeError | ValueError,
        "return_types\\.(sort|topk)\\b",
        "`sort` and `topk` return a pair, the numbers and their places: take what you need with `.values` or "
        "`.indices`",
    ),
    (
        TypeError | AttributeError,
        "return_types",
        "the function returns several results in one tuple: take the one that you need by its name or place",
    ),
    (
        TypeError,
        "^\\w+_like\\(\\): argument 'input' .* must be Tensor",
        "a function that ends in `_like` takes a tensor and copies its shape, dtype and device; the one without "
        "`_like` takes sizes",
    ),
    (
        TypeError | AttributeError,
        "must be Tensor, not tuple|'tuple'",
        "a tuple of several results is used as a tensor: a function with several results gives all of them. "
        "nn.MultiheadAttention returns the output and the weights, `max`, `sort` and `topk` with a `dim` return "
        "numbers and places: take the one that you need, as in `output, _ = ...` or with `[0]`",
    ),
    (
        TypeError,
        "can only concatenate tuple",
        "something is added to a tuple. `max`, `sort` and `topk` with a `dim` return one: take its part, with `[0]`. "
        "A shape is one too: `(*x.shape[:-1], n)` makes another of it",
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
        "^(max|min)\\(\\) received an invalid combination of arguments - got (\\((int|float), Tensor|"
        "\\(Tensor, float)|^(maximum|minimum|max|min)\\(\\): argument .* must be Tensor, not (int|float)",
        "`torch.maximum` takes two tensors, and in `torch.max(x, 0)` the 0 is an axis. For the larger one of each "
        "number and 0 write `torch.relu(x)` or `x.clamp(min=0)`",
    ),
    (
        TypeError,
        "^(exp|log\\w*|sqrt|sin|cos|tan|tanh|erf|floor|ceil|pow)\\(\\): .* must be Tensor, not (int|float)$",
        "torch's functions take tensors: for a plain number use those of `math`",
    ),
    (
        TypeError,
        "must be Tensor, not (int|float|bool)$|expected Tensor as element \\d+ in argument 0, but got (int|float)",
        "a plain number stands where the function takes a tensor: `torch.tensor(...)` makes one of it",
    ),
    (
        TypeError,
        "must be tuple of Tensors, not Tensor",
        "`cat` and `stack` take one list of tensors: `torch.cat([a, b], dim=...)`",
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
