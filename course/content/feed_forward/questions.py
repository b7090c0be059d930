"""Chapter 03: the questions on the feed-forward network. What can be computed of them is tested."""

# ruff: noqa: E501  (sentences as they are read)

from __future__ import annotations

from course.quiz.question import Option, Question

QUESTIONS = (
    Question(
        "feed_forward.share",
        "How much of an encoder layer's parameters is in the feed-forward network, with $F = 4D$?",
        (
            Option(
                "About two thirds.",
                "Attention has four maps of $D \\times D$, so $4D^2$; the network has $D \\times 4D$ twice, so $8D^2$. "
                "Biases and norms hardly count.",
                right=True,
            ),
            Option(
                "About a third.",
                "That is the attention's part: four maps of $D \\times D$ make $4D^2$, and the network's two make $8D^2$.",
            ),
            Option(
                "About half: two maps there, four smaller ones here.",
                "Each of the two has four times as many weights as one of the four: $8D^2$ against $4D^2$.",
            ),
            Option(
                "It depends on the number of heads.",
                "The heads share out the attention's matrices and add nothing to them, as chapter 02 counted.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "feed_forward.one-token-changed",
        "Token 2 of six is changed. Whose output vectors move?",
        (
            Option(
                "In the network that of token 2 alone; in attention all six.",
                "The network sees one token at a time. In attention the changed key and value reach whoever attends to "
                "token 2, and nobody's weight for it is exactly 0.",
                right=True,
            ),
            Option(
                "In both all six.",
                "Nothing in $\\max(0, xW_1 + b_1)W_2 + b_2$ comes from another token: rows of $x$ meet columns of $W_1$ "
                "and never one another.",
            ),
            Option(
                "In both token 2 alone.",
                "So it is in the network. In attention the others look at token 2, and what they find there has changed.",
            ),
            Option(
                "In the network its neighbours too.",
                "A convolution does that. This network doesn't know who stands beside whom.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "feed_forward.padding",
        "Does the feed-forward network need the padding mask?",
        (
            Option(
                "No: padding is computed too, for nothing, and harms nobody.",
                "Each token's result depends on that token alone, so whatever stands in a padded place stays there. "
                "(It costs time: chapter 10 leaves it out.)",
                right=True,
            ),
            Option(
                "Yes, or padding would leak into the real tokens.",
                "In attention it would. Here nothing passes from one token to another.",
            ),
            Option(
                "Yes, or the bias $b_2$ would give padding a meaning.",
                "Padding does get a vector that isn't 0. Nobody reads it, as long as the next attention is masked.",
            ),
            Option(
                "Only in training.",
                "Training changes nothing about who sees whom; the loss leaves padding out by itself.",
            ),
        ),
    ),
    Question(
        "feed_forward.without-the-bend",
        "Without the $\\max(0, \\cdot)$, what can the network compute with $F = 4D$?",
        (
            Option(
                "Just what one map from $D$ to $D$ can.",
                "$(xW_1 + b_1)W_2 + b_2 = x(W_1W_2) + (b_1W_2 + b_2)$: one matrix and one bias, with an eighth of the weights.",
                right=True,
            ),
            Option(
                "More than one map can, as it has eight times the weights.",
                "The weights are more, the functions the same: every product $W_1W_2$ is a $D \\times D$ matrix.",
            ),
            Option(
                "Any function, only more slowly.",
                "Linear stays linear, however many maps stand in a row. No curve can come out.",
            ),
            Option(
                "Less than one map can.",
                "With $F \\geq D$ every $D \\times D$ matrix can be written as a product $W_1W_2$, so nothing is lost. "
                "Only when $F$ is below $D$ would it be less.",
            ),
        ),
    ),
    Question(
        "feed_forward.dead",
        "Half of 64 neurons are pushed so far down that every token finds them negative. How many get no gradient at all?",
        (
            Option(
                "With ReLU these 32, with GELU none.",
                "ReLU's slope is exactly 0 wherever its input is negative. GELU's is small there and not 0, so a neuron "
                "goes on learning, slowly.",
                right=True,
            ),
            Option(
                "With both these 32.",
                "Look at GELU's slope again: below 0 it is small and negative, and not 0.",
            ),
            Option(
                "With neither: the bias always gets a gradient.",
                "The bias stands inside the activation too: what is multiplied with a slope of 0 is 0 for it as well.",
            ),
            Option(
                "With ReLU all 64.",
                "The other half has positive answers for about half of the tokens, where the slope is 1.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "feed_forward.relu-for-gelu",
        "ReLU in place of GELU in all six layers of the trained model, no further training. What is left of the sentences' vectors?",
        (
            Option(
                "They turn far away: cosines of about 0.6.",
                "The curves differ by at most 0.17, near 0; but that is where most of a neuron's inputs lie, there are "
                "1,536 neurons, and six layers carry it on. The weights were trained for this very curve.",
                right=True,
            ),
            Option(
                "Nearly the same: cosines above 0.95.",
                "So it looks from the curves. But small differences in 1,536 neurons add up, and six layers carry them on.",
            ),
            Option(
                "Exactly the same for texts with positive words.",
                "Positive numbers and positive words have nothing to do with each other; and GELU differs from ReLU "
                "above 0 too.",
            ),
            Option(
                "NaN: the model no longer computes.",
                "ReLU gives finite numbers for finite ones, and layer norms keep the size in check.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "feed_forward.memory",
        "Attention weighs values by keys, and so does this network. What is different?",
        (
            Option(
                "Here keys and values are parameters, the same for every text, and the answers need not sum to 1.",
                "Attention makes keys and values from the tokens at hand and shares out a sum of 1 among them. Here "
                "they were learned once, and each neuron answers for itself.",
                right=True,
            ),
            Option(
                "Here keys and values come from the token itself.",
                "They come from no token: a key is a column of $W_1$, a value a row of $W_2$.",
            ),
            Option(
                "Here there are no values, only keys.",
                "The rows of $W_2$ are what is added, each as strongly as its key fits.",
            ),
            Option(
                "Nothing: it is attention to the other tokens with a ReLU.",
                "No other token takes part, as section 3 showed.",
            ),
        ),
    ),
    Question(
        "feed_forward.gate-parameters",
        "A network with $F = 3072$ gets a gate. Which $F$ keeps the number of weights as it was?",
        (
            Option(
                "2048, two thirds.",
                "Two matrices become three, so each may have two thirds of the width: $3 \\cdot D \\cdot 2048 = 2 \\cdot D "
                "\\cdot 3072$. That is where odd-looking widths in newer models come from.",
                right=True,
            ),
            Option(
                "1536, half.",
                "That would be right if the number of matrices doubled. There were two; now there are three.",
            ),
            Option(
                "3072: a gate has no weights.",
                "$W_\\text{gate}$ is a whole $D \\times F$ matrix.",
            ),
            Option(
                "1024, a third.",
                "Three matrices replace two and not one: a third of the width would leave half of the weights.",
            ),
        ),
    ),
    Question(
        "feed_forward.what-is-left",
        "A row of ones goes through dropout with $p = 0.25$, 4000 times. Which numbers come out, and what is their mean?",
        (
            Option(
                "0 and 1.3333, with mean 1.",
                "A quarter falls, three quarters become $1 / 0.75 = 1.3333$: the mean is $0.75 \\cdot 1.3333 = 1$, as "
                "when nothing is dropped.",
                right=True,
            ),
            Option(
                "0 and 1, with mean 0.75.",
                "So dropout was first published, with a correction when the model is used. The inverted one corrects in training.",
            ),
            Option(
                "0 and 4, with mean 1.",
                "4 would be $1 / p$. Three quarters are left, so what is left is divided by $1 - p$.",
            ),
            Option(
                "0 and 0.75, with mean 0.5625.",
                "What is left is divided by $1 - p$, not multiplied: some fall, so the others have to grow.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "feed_forward.no-grad",
        "You use a trained model within <code>torch.no_grad()</code> and forget <code>model.eval()</code>. What happens?",
        (
            Option(
                "Dropout goes on dropping: each call gives something else.",
                "<code>no_grad</code> is about recording gradients, <code>eval()</code> about what modules do. They have "
                "nothing to do with one another; for use you want both.",
                right=True,
            ),
            Option(
                "Nothing: without gradients there is no training.",
                "A module looks at its own flag <code>training</code> and at nothing else. It is on until "
                "<code>eval()</code> turns it off.",
            ),
            Option(
                "The parameters change a little with each call.",
                "Only an optimizer's step changes parameters. The noise is in the results.",
            ),
            Option(
                "An error, as dropout needs gradients.",
                "Dropout multiplies with a mask; it neither needs nor asks for gradients.",
            ),
        ),
    ),
)
