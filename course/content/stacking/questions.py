"""Chapter 04: the questions on stacking. What can be computed of the answers is tested."""

from __future__ import annotations

from course.quiz.question import Option, Question

QUESTIONS = (
    Question(
        "stacking.why-a-sum",
        "A part $f$ has learned nothing yet, and what it gives is near 0. What does $x + f(x)$ pass on?",
        (
            Option(
                "$x$, nearly unchanged, and the gradient with it.",
                "That is the point of the sum: a layer that has nothing to say does no harm, and those below it can "
                "learn as if it were not there.",
                right=True,
            ),
            Option(
                "Nearly 0, as every part of the product is.",
                "That is what the bare layer $f(x)$ would pass on. In a sum, a part that is 0 changes nothing.",
            ),
            Option(
                "Noise, until $f$ is trained.",
                "What $f$ adds is small beside $x$, which passes whole.",
            ),
            Option(
                "Half of $x$.",
                "There is no mean taken and nothing is divided: $x + 0 = x$.",
            ),
        ),
    ),
    Question(
        "stacking.norm-of-what",
        "A batch has 8 texts of 20 tokens, $D = 384$. How many means does one layer norm compute in it?",
        (
            Option(
                "160: one for each token.",
                "Each token's vector by itself, over its 384 numbers. So a token's norm depends neither on its "
                "neighbours nor on what else is in the batch.",
                right=True,
            ),
            Option(
                "384: one for each feature.",
                "That is batch normalisation, which runs over the texts and tokens of a batch. With it, a text's "
                "result would depend on those that share its batch.",
            ),
            Option(
                "8: one for each text.",
                "It would mix the tokens of a text, padding included.",
            ),
            Option("1.", "One mean for everything would leave each token at its own size."),
        ),
    ),
    Question(
        "stacking.direct-path",
        "In which form is there a path from the last layer back to the first on which a gradient passes nothing but "
        "sums?",
        (
            Option(
                "In pre-norm.",
                "Its norms stand on the branches, inside of $f(\\operatorname{norm}(x))$; the stream itself is only "
                "added to. (The one norm at its very end is passed once.)",
                right=True,
            ),
            Option(
                "In post-norm.",
                "There every sum is normalised, so the way down leads through two norms a layer.",
            ),
            Option(
                "In both: each has a residual connection.",
                "Both have the sum. In post-norm, a norm stands around it.",
            ),
            Option(
                "In neither: the attention is always in between.",
                "It is on a branch. The sum leads past it.",
            ),
        ),
    ),
    Question(
        "stacking.what-keeps-apart",
        "Twelve untrained layers, 16 random tokens. Bare, they are one after two. What keeps them apart for longer?",
        (
            Option(
                "The sum.",
                "With it, each layer only adds its mean to what the token was: that slows the smoothing, and does not "
                "stop it. The norms rescale each vector: they cannot bring back a difference that is gone.",
                right=True,
            ),
            Option(
                "The layer norms.",
                "They rescale each vector by itself. Two vectors that are the same are the same after it.",
            ),
            Option(
                "Only both together.",
                "The sum alone does it: look at the line of sums without norms.",
            ),
            Option(
                "Nothing: untrained layers always make them the same.",
                "They draw together with the sum too, but over ten layers or more, and not in two.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "stacking.which-one-learns",
        "Twelve layers, a high learning rate, 60 steps. Which stacks find the symbol?",
        (
            Option(
                "Pre-norm, and post-norm with a warm-up.",
                "Post-norm at the full rate is thrown off by its first steps and doesn't come back in these 60. Small "
                "steps first, and it learns like the other.",
                right=True,
            ),
            Option(
                "All three.",
                "At a lower rate they would. At this one, post-norm without a warm-up stays at guessing.",
            ),
            Option(
                "Only pre-norm.",
                "A warm-up is enough to save post-norm; it is how the paper and BERT were trained.",
            ),
            Option(
                "Only post-norm: it is the original.",
                "The original was trained with a warm-up of 4000 steps; Xiong et al. found that it needs one.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "stacking.what-crosses-tokens",
        "Which part of an encoder layer lets anything get from one token to another?",
        (
            Option(
                "The attention alone.",
                "The network, the norms, the sums and dropout all work on each token by itself. If you want to know "
                "where a token's information came from, look at the attention.",
                right=True,
            ),
            Option(
                "The attention and the layer norms.",
                "A layer norm's mean and variance are those of one token's own numbers.",
            ),
            Option(
                "The attention and the feed-forward network.",
                "The network is applied to each token by itself, with the same weights.",
            ),
            Option(
                "All parts: that is what a layer is for.",
                "All but one work on each token by itself.",
            ),
        ),
    ),
    Question(
        "stacking.clones-after-a-step",
        "Three clones start with the same values and are stacked. After ten steps of training, are layers 0 and 1 "
        "still equal?",
        (
            Option(
                "No: each got a gradient of its own.",
                "Layer 1 sees what layer 0 has made, and has other layers above it, so the same weights get other "
                "gradients.",
                right=True,
            ),
            Option(
                "Yes: equal weights get equal gradients.",
                "A gradient depends on what a layer was given and on what comes after it, and both differ.",
            ),
            Option(
                "Yes: they are clones.",
                "They share nothing; they were only alike at the start.",
            ),
            Option(
                "Only with dropout, which makes them differ.",
                "Dropout was off in this run, and they differ.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "stacking.other-text",
        "The article's encoder gets a batch of three texts as <code>(B, S, D)</code>. You change the second text. What "
        "happens to the output of the first?",
        (
            Option(
                "It changes.",
                "Without <code>batch_first=True</code> the first axis is taken for the length: the texts attend to one "
                "another, place by place, and not to their own tokens.",
                right=True,
            ),
            Option(
                "Nothing: texts in a batch have nothing to do with each other.",
                "They should not. Here the attention takes the batch for the length.",
            ),
            Option(
                "An error is raised: the shape is wrong.",
                "Any (x, y, 8) is a batch of something. The attention cannot know which axis you meant.",
            ),
            Option(
                "It changes at the places where the second text was changed most.",
                "It was changed by the same amount everywhere; and it is a matter of the axis, not of the place.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "stacking.listing-training",
        "Twelve layers of the listing on the task of section 6, at three times the rate. What do the losses do?",
        (
            Option(
                "Both are thrown far above guessing; as it stands, it then comes down towards guessing and no lower.",
                "No norm holds the numbers in either. As it stands no token sees its own sentence, so there is nothing "
                "to learn from; with the length first there is, once the steps no longer throw it about.",
                right=True,
            ),
            Option(
                "Both fall, more slowly than the mended one.",
                "As it stands, the answer is not in what the first token can see.",
            ),
            Option(
                "As it stands it gets no better than guessing; with the length first it falls like pre-norm.",
                "The sums alone let the numbers grow with the depth, and this rate is too high for that.",
            ),
            Option(
                "Both become NaN.",
                "The losses stay finite: these first weights are small. Five times as large, both become NaN.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "stacking.which-is-no-fault",
        "Which of these, in the article's listing, is no fault?",
        (
            Option(
                "One <code>nn.Dropout</code> in three places.",
                "It has no weights and remembers nothing; each call draws anew.",
                right=True,
            ),
            Option(
                "<code>nn.MultiheadAttention</code> without <code>batch_first</code>.",
                "It is none as long as everybody gives the length first. The listing doesn't say so, and nothing "
                "complains when they don't.",
            ),
            Option(
                "No layer norms.",
                "Without them the numbers in the stream grow from layer to layer.",
            ),
            Option(
                "<code>copy.deepcopy</code> without an import.",
                "That stops it at the first use: the loudest of its faults, and the least harmful.",
            ),
        ),
    ),
    Question(
        "stacking.what-comes-out",
        "A text of 16 tokens goes through an encoder of six layers, $D = 384$. What is its hidden representation?",
        (
            Option(
                "16 vectors of 384 numbers: one for each token.",
                "The shape that went in comes out. One vector for the text is made of them by a further step, the mean "
                "for instance.",
                right=True,
            ),
            Option(
                "One vector of 384 numbers.",
                "Many uses need that, and it takes a further step: a mean, or the vector of [CLS].",
            ),
            Option(
                "6 vectors of 384 numbers: one for each layer.",
                "Each layer gives 16 vectors, and the next takes them.",
            ),
            Option(
                "A matrix of 16 times 16 weights.",
                "That is what one head of one layer computes on the way.",
            ),
        ),
    ),
)
