"""Chapter 02: the questions on attention. What can be computed of the answers is tested."""

from __future__ import annotations

from course.quiz.question import Option, Question

QUESTIONS = (
    Question(
        "attention.same-word",
        "<i>bank</i> stands at the same place in “… wait at the bank because she had no money.” and in "
        "“… wait at the bank because the river was high.” How alike are its two vectors?",
        (
            Option(
                "Equal when they come from the table, different after the first layer.",
                "The table gives a token the same row in every sentence, and place and segment are equal here. What "
                "differs afterwards came from the words behind <i>bank</i>: an encoder looks both ways.",
                right=True,
            ),
            Option(
                "Different from the start.",
                "The start is a look-up by the token's number and place, and both are equal in the two sentences: "
                "nothing there has seen the other words.",
            ),
            Option(
                "Equal all the way: the words before <i>bank</i> are the same.",
                "That would be so in a model that may only look back, as the decoders of chapter 07 do. An encoder's "
                "token sees what comes after it too.",
            ),
            Option(
                "Equal until the last layer, which puts the sentence together.",
                "Each layer mixes the tokens, not only the last one.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.how-many-queries",
        "How many queries does one head compute for our sentence of 16 tokens?",
        (
            Option(
                "16: one for each token.",
                "Every token asks, all at the same time, [CLS], the full stop and [SEP] too. That makes 16 rows of "
                "scores in each head.",
                right=True,
            ),
            Option(
                "1: the one of the current word.",
                "There is no current word in an encoder. The matrix $Q$ has a row for every token, and all rows are "
                "used at once.",
            ),
            Option(
                "12: one for each head.",
                "Each head has queries of its own, but the question was about one head, and that one has a query "
                "for each token.",
            ),
            Option(
                "32: as many as the head has dimensions.",
                "32 is the length of one query. How many there are is the number of rows of $Q$.",
            ),
        ),
    ),
    Question(
        "attention.symmetric",
        "In one head, is the score of <i>she</i> for <i>anna</i> equal to the score of <i>anna</i> for <i>she</i>?",
        (
            Option(
                "In general not.",
                "One is (query of she) · (key of anna), the other (query of anna) · (key of she): two different "
                "products, because $W^Q$ and $W^K$ differ. She may need Anna while Anna doesn't need her.",
                right=True,
            ),
            Option(
                "Yes: a dot product doesn't depend on the order.",
                "$a \\cdot b = b \\cdot a$, but these are not the same two vectors: one product has she's query in it, "
                "the other she's key.",
            ),
            Option(
                "Yes: attention measures a correlation.",
                "A correlation is symmetric, which is one reason why the word doesn't fit. A score says how well a "
                "key fits a query.",
            ),
            Option(
                "Not before the softmax, but after it.",
                "The softmax divides each row by a sum of its own, which makes two equal scores differ sooner than "
                "two different ones equal.",
            ),
        ),
    ),
    Question(
        "attention.growing-products",
        "The entries of $q$ and $k$ are drawn from $N(0, 1)$. When $d_k$ grows from 4 to 1024, the standard deviation "
        "of $q \\cdot k$ grows …",
        (
            Option(
                "16 times.",
                "The variances of the $d_k$ products add up, so the variance is $d_k$ and grows 256 times; the "
                "standard deviation is its root.",
                right=True,
            ),
            Option("256 times.", "The variance does. The standard deviation is its square root."),
            Option(
                "Not at all: positive and negative products cancel.",
                "They cancel in the mean, which stays 0. In the variance every product adds 1: a sum of many coin "
                "tosses spreads further than one.",
            ),
            Option(
                "2 times.",
                "It grows with the root of $d_k$, and $\\sqrt{1024 / 4}$ is more than that.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.why-the-root",
        "Why $\\sqrt{d_k}$, and not $d_k$?",
        (
            Option(
                "It brings products of random entries with variance 1 back to a standard deviation of 1, whatever "
                "$d_k$ is.",
                "The standard deviation of the product is $\\sqrt{d_k}$. Divided by it, the scores spread the same "
                "at every width. (Entries with another variance give another spread, but not one that grows.)",
                right=True,
            ),
            Option(
                "It turns the dot product into a cosine.",
                "A cosine divides by the lengths of both vectors, which are near $\\sqrt{d_k}$ each for such random "
                "vectors: together near $d_k$, not its root. And lengths that are learned may carry meaning.",
            ),
            Option(
                "It makes the weights sum to 1.",
                "The softmax sees to that, whatever the scores are divided by.",
            ),
            Option(
                "Dividing by $d_k$ would be as good; the root is a habit.",
                "With $d_k$ the scores would have a standard deviation of $1 / \\sqrt{d_k}$: at large widths all "
                "weights would start out nearly equal. (Training can undo either scale; it is the start that differs.)",
            ),
        ),
    ),
    Question(
        "attention.softmax-shift",
        "You add 100 to every score of one row. What does the softmax do?",
        (
            Option(
                "Nothing: the weights stay the same.",
                "$e^{x + 100} = e^{100} e^x$, and the factor stands above and below the fraction's line. That is why "
                "the largest score may be taken off first.",
                right=True,
            ),
            Option(
                "It becomes sharper.",
                "<i>Multiplying</i> the scores does that. Only the differences between scores count, and they stay.",
            ),
            Option(
                "It becomes flatter.",
                "The differences between the scores count, not their ratios: 101 beside 100 is to the softmax what "
                "1 beside 0 is.",
            ),
            Option(
                "It overflows.",
                "A careless one does: $e^{101}$ is too large for float32. The softmax as a function doesn't change, "
                "and yours won't overflow.",
            ),
        ),
    ),
    Question(
        "attention.other-pronoun",
        "Now one token changes: <i>she</i> becomes <i>he</i>. In this head the new pronoun attends most to …",
        (
            Option(
                "peter.",
                "One token was exchanged, so only one row of the table differs at the start. Its new query points to "
                "another key: the head finds a name that fits the pronoun.",
                right=True,
            ),
            Option(
                "anna: she still stands at the same place.",
                "Then the head would look for a place. Its query is made from the pronoun, and the pronoun changed.",
            ),
            Option(
                "bank: it is the nearest noun.",
                "Some heads look for what is near. This one, as the run shows, looks for something else.",
            ),
            Option(
                "All tokens the same: <i>he</i> could be anybody.",
                "A person may think so. The head has found regularities in its training text and follows them.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.inside-the-hull",
        "A head's values for some feature all lie between −1 and 2. Without a mask, what can its output for that "
        "feature be?",
        (
            Option(
                "Any number from −1 to 2.",
                "The weights are positive and sum to 1, so the output is a mean of the values: never above the "
                "largest, never below the smallest.",
                right=True,
            ),
            Option(
                "Any number.",
                "It would be so if weights could be negative or grow without bound. A softmax gives a mean.",
            ),
            Option(
                "From 0 to 1.", "The <i>weights</i> are. The output has the scale of the values."
            ),
            Option(
                "One of the values, the one with the largest weight.",
                "That is a look-up in a dictionary. Attention mixes; only a saturated softmax comes near to choosing.",
            ),
        ),
    ),
    Question(
        "attention.mask-before",
        "Why is the mask applied to the scores, before the softmax, and not to the weights, after it?",
        (
            Option(
                "So that the weights of what is left still sum to 1.",
                "A score of $-\\infty$ becomes a weight of 0 and takes no part in the sum. Zeroing weights afterwards "
                "leaves the blocked keys in the denominator, and the rest sums to less than 1.",
                right=True,
            ),
            Option(
                "Because it is faster.",
                "Both cost one operation for each score. The results differ, and that decides.",
            ),
            Option(
                "The order doesn't matter.",
                "It does: zeroing weights leaves a row that sums to less than 1. You could divide by the new sum; in "
                "exact arithmetic both would then agree. In floating point what is left may have become 0 already, "
                "where a blocked score is much larger than the rest, and then it is 0 / 0.",
            ),
            Option(
                "Because weights can't be changed after the softmax.",
                "They can, and dropout does it in training.",
            ),
        ),
    ),
    Question(
        "attention.two-conventions",
        "Your mask says True where a key is blocked. You pass it as it is to "
        "<code>F.scaled_dot_product_attention</code>, as <code>attn_mask</code>. What happens?",
        (
            Option(
                "Each query looks exactly where it must not.",
                "There, True says that a key <i>takes part</i>. Nothing fails and all shapes fit, so write "
                "<code>~mask</code>, and test it.",
                right=True,
            ),
            Option(
                "The right thing: a mask is a mask.",
                "<code>nn.MultiheadAttention</code> and <code>nn.TransformerEncoder</code> say True = blocked, this "
                "function says True = takes part. One library, two conventions.",
            ),
            Option(
                "An error.", "Both are boolean masks of the right shape; nothing tells them apart."
            ),
            Option(
                "Nothing: boolean masks are ignored, only floats are added.",
                "It takes both kinds: floats are added to the scores, booleans choose.",
            ),
        ),
    ),
    Question(
        "attention.head-count",
        "A layer of width 384 has 12 heads. You make it 1 head, then 48. What becomes of its number of parameters?",
        (
            Option(
                "It stays the same.",
                "The four matrices are $384 \\times 384$, however many heads share their columns. What changes is how "
                "many weights each query has, and how wide a head is.",
                right=True,
            ),
            Option(
                "It grows with the heads.",
                "It would if every head were as wide as the model. Here the width is shared out: more heads, narrower "
                "heads.",
            ),
            Option(
                "It shrinks: more heads are narrower.",
                "Each is narrower, and there are more of them, in the same proportion.",
            ),
            Option(
                "Only the output projection grows, since it must join more heads.",
                "Joined, the heads are as wide as before: 384. The output projection is $384 \\times 384$.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.split-by-view",
        "Why not <code>x.view(B, H, S, Dh)</code> straight from <code>(B, S, D)</code>? It gives the right shape.",
        (
            Option(
                "It deals out the numbers in the order of memory: a head would get whole tokens, not a slice of each.",
                "A view only changes how a row of numbers is read. To move an axis takes a transpose: first cut "
                "<code>D</code> into <code>(H, Dh)</code>, then exchange <code>S</code> and <code>H</code>.",
                right=True,
            ),
            Option(
                "It fails: the number of elements differs.",
                "$S \\cdot D = H \\cdot S \\cdot D_h$, so it works without a word. That makes it dangerous.",
            ),
            Option(
                "It is only slower.",
                "It is the faster one, and wrong.",
            ),
            Option(
                "It cuts the gradient.",
                "Gradients pass through a view. They would go to the wrong places, like the numbers.",
            ),
        ),
    ),
    Question(
        "attention.remember-the-first",
        "Three small networks train for the same number of steps to say, at the end of a sequence of 32 tokens, which "
        "of 8 symbols stood first. Which of them do clearly better than guessing (1 in 8)?",
        (
            Option(
                "Only the one with attention.",
                "From the last token to the first there is one step for attention, and 31 for a network that reads. "
                "Trained longer, the gated one gets further: it is a matter of learning, not of what it could express.",
                right=True,
            ),
            Option(
                "Attention and the gated one (GRU).",
                "The GRU's gates were made for this, and with more steps it gets there at lengths where the simple one "
                "doesn't. In so few steps the signal that has to come back through 31 gates is too weak.",
            ),
            Option(
                "All three: one symbol is little to remember.",
                "To hold it is easy. To <i>learn</i> to hold it needs a gradient that survives the way back, and "
                "that is what gets lost.",
            ),
            Option(
                "The two that read; attention has no memory.",
                "Attention needs none as long as the token is still there to look at: it pays for that with the "
                "square of the length.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.shuffled",
        "We shuffle the rows of $x$ and send them through self-attention (no mask, no positions). What comes out?",
        (
            Option(
                "The same rows as before, shuffled in the same way.",
                "Scores, softmax and sum treat rows as a set: nothing in them knows a place. That is permutation "
                "equivariance, and the reason why chapter 01 adds positions.",
                right=True,
            ),
            Option(
                "The same rows in the old order.",
                "Each output row belongs to its query, and the queries were shuffled.",
            ),
            Option(
                "Other rows: each word has new neighbours.",
                "Neighbours mean nothing to it: each query sees all keys, wherever they stand.",
            ),
            Option(
                "The same rows as before, but only as long as the first stays first.",
                "No row is special here. [CLS] is special to a trained model because of what its row holds.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.causal-order",
        "With a <i>causal</i> mask and without positions: can the output at a token depend on the order of the tokens "
        "before it?",
        (
            Option(
                "In one layer it can't; in two or more it can.",
                "In the first layer the last token sees a set. But each token before it saw another part of that set, "
                "depending on the order, and the second layer reads what they made of it. So decoders can do without "
                "positions (Haviv et al. 2022); encoders can't.",
                right=True,
            ),
            Option(
                "No: without positions there is no order.",
                "The mask itself tells an order: the first token sees one key, the second two.",
            ),
            Option(
                "Yes, in one layer already.",
                "The last token sees the same set of keys and values in either order, and its mean over them is "
                "the same.",
            ),
            Option(
                "Only if there are several heads.",
                "Heads stand side by side and each sees the same set. Layers, one after another, make the difference.",
            ),
        ),
    ),
    Question(
        "attention.twice-as-long",
        "A text becomes twice as long. How many times as many attention weights does a layer compute?",
        (
            Option(
                "4 times.", "Twice as many queries, and each has twice as many keys.", right=True
            ),
            Option(
                "2 times.",
                "That holds for the projections, where each token is computed by itself.",
            ),
            Option("8 times.", "Queries and keys double; the number of heads doesn't."),
            Option(
                "As many as before: the parameters don't change.",
                "Parameters don't depend on the length. The weights are no parameters: they are computed anew for "
                "each text.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.low-entropy",
        "One row of weights has an entropy of 0 nats. What does that say?",
        (
            Option(
                "The query takes the value of a single key.",
                "All weight on one key: $-1 \\log 1 = 0$. Which key, and whether its value matters, the entropy "
                "doesn't say. A row in which everything is blocked gets 0 too: look at its sum.",
                right=True,
            ),
            Option(
                "The query attends to nothing.",
                "A row of weights sums to 1, so it has to go somewhere (unless all is blocked).",
            ),
            Option(
                "All keys have the same weight.",
                "That is the other end: $\\log S$, the largest entropy that a row of $S$ weights can have.",
            ),
            Option(
                "The head is important.",
                "Sharp is not important: see what happens when such heads are switched off, below.",
            ),
        ),
    ),
    Question(
        "attention.sharpest-head",
        "Head 2 of layer 0 looks at the token before with a weight of almost exactly 1: the clearest picture of "
        "all 72. Switch each head off in turn: where does this one stand in the change of the sentence's vector?",
        (
            Option(
                "Somewhere in the middle of the 72.",
                "A clear picture is not a large effect. On other texts it stands elsewhere, but not among the first: "
                "see what the second experiment below finds that it is good for.",
                right=True,
            ),
            Option(
                "First: it is the only one that knows the order.",
                "Positions are in every token's vector, so other heads can find neighbours too.",
            ),
            Option(
                "Among the first ten.",
                "Those are all heads of the last layer: what they write goes straight into the sentence's vector.",
            ),
            Option(
                "Last: it changes nothing.",
                "Its output is a full-sized vector, and without it the numbers do change.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "attention.what-a-picture-shows",
        "A head's picture shows that <i>she</i> attends to <i>anna</i> with 0.4. What do you know?",
        (
            Option(
                "That 0.4 of this head's mean at <i>she</i> is the value vector computed at <i>anna</i>'s place.",
                "That, exactly. What the value holds, how long it is, and what later layers make of it are other "
                "questions, with experiments of their own.",
                right=True,
            ),
            Option(
                "That the model knows who <i>she</i> is.",
                "The output may not use it: switch the head off and measure the behaviour that you want to explain.",
            ),
            Option(
                "That <i>anna</i> contributes 40 % of the vector of <i>she</i>.",
                "There are eleven other heads, the residual connection, which brings she's own vector, and the "
                "feed-forward network; and a weight says nothing about how long the value is.",
            ),
            Option(
                "Nothing: attention is not explanation.",
                "The title of Jain and Wallace (2019) is about weights given as reasons for a prediction. A weight is "
                "still an exact fact about one head. Wiegreffe and Pinter (2019) discuss how far it goes.",
            ),
        ),
    ),
)
