"""Chapter 01: the questions on embeddings. What can be computed of the answers is tested."""

from __future__ import annotations

from course.quiz.question import Option, Question

QUESTIONS = (
    Question(
        "embeddings.holes",
        "The vocabulary has every word of Python's language reference. How many of the words of the "
        "standard library's docstrings, counted as they run, have no number?",
        (
            Option(
                "Roughly one in six.",
                "And of the <i>different</i> words nearly four in five: names of functions, of parameters, of "
                "people, and English that the reference happens not to need. Most words of any text are rare.",
                right=True,
            ),
            Option(
                "Hardly any: both are about Python, in English.",
                "The frequent words are the same. But the rare ones, all together, are a good part of every text, "
                "and each text has its own.",
            ),
            Option(
                "More than half.",
                "Of the <i>different</i> words, yes. But those are rare: the words that the two texts share are "
                "the frequent ones, and they make up most of what one reads.",
            ),
            Option(
                "About one in a hundred.",
                "That would need a text in which rare words are rare altogether. They are rare one by one; "
                "together they are many.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.greedy",
        "The vocabulary has <code>a</code>, <code>ab</code>, <code>##b</code>, <code>##c</code>, "
        "<code>##bcd</code> and <code>##d</code>. How is <i>abcd</i> cut?",
        (
            Option(
                "<code>ab ##c ##d</code>",
                "The longest beginning is <code>ab</code>, and once it is taken there is no way back, though "
                "<code>a ##bcd</code> would have been shorter.",
                right=True,
            ),
            Option(
                "<code>a ##bcd</code>",
                "Fewer pieces, but not what greedy finds: it takes <code>ab</code> first, because that is longer "
                "than <code>a</code>.",
            ),
            Option(
                "<code>a ##b ##c ##d</code>",
                "That takes the shortest pieces. Greedy takes the longest that fits.",
            ),
            Option(
                "<code>[UNK]</code>",
                "Only where nothing at all fits. Here <code>##c</code> continues after <code>ab</code>, and "
                "<code>##d</code> after that.",
            ),
        ),
    ),
    Question(
        "embeddings.which-vocabulary",
        "Our largest vocabulary has 4,000 pieces, MiniLM's 30,522. Which of the two needs fewer tokens for the "
        "sentence about unhashable dictionaries?",
        (
            Option(
                "Ours: it was learned from text of just this kind.",
                "A vocabulary is a summary of the text it was learned from. <i>Unhashable</i> and <i>TypeError</i> "
                "are common here and rare in books and in Wikipedia. So with program code, medicine or another "
                "language: look at how a model's tokenizer cuts <i>your</i> text.",
                right=True,
            ),
            Option(
                "MiniLM's: more pieces, fewer tokens.",
                "True of two vocabularies from the same text. These come from different ones.",
            ),
            Option(
                "Both the same: the words are English.",
                "Some of them. <i>TypeError</i> is a word for those who program in Python.",
            ),
            Option(
                "MiniLM's: it has every English word whole.",
                "30,522 entries are a small dictionary, and many of them are pieces and names.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.chinese-characters",
        "BERT's Chinese model has 21,128 tokens, and its tokenizer cuts Chinese text into single characters. What does "
        "that mean for a text of 100 characters?",
        (
            Option(
                "It becomes about 100 tokens, and what belongs together as a word is left to the layers.",
                "No word boundaries are needed, nothing common is unknown, and attention has to learn which "
                "characters make a word.",
                right=True,
            ),
            Option(
                "About 50 tokens, because most Chinese words have two characters.",
                "That would need pieces of two characters. Whoever cuts at each character first cannot learn any.",
            ),
            Option(
                "One token, because there are no spaces.",
                "That is what <code>\\w+</code> found in section 1. BERT's tokenizer puts every Chinese character "
                "apart before it looks anything up.",
            ),
            Option(
                "Mostly <code>[UNK]</code>, as with MiniLM.",
                "MiniLM's vocabulary comes from English text and holds few Chinese characters. One that was "
                "learned from Chinese text holds all the common ones.",
            ),
        ),
    ),
    Question(
        "embeddings.padding-unmasked",
        "MiniLM reads the short sentence in a batch with a longer one. What changes in its token vectors, compared "
        "with reading it alone?",
        (
            Option(
                "With the mask nothing, without it every token.",
                "Unmasked padding is a token like any other: it has a key and a value, and all the others attend "
                "to it. With the mask the result is the same as alone, but for rounding.",
                right=True,
            ),
            Option(
                "Nothing in either case: the vector of <code>[PAD]</code> is zero.",
                "Even where that row of the table is zero, its places are not, and the biases of the layers make "
                "keys and values of it. Besides, a score of 0 is no weight of 0: after the softmax it gets its share.",
            ),
            Option(
                "Without the mask only the last token, next to the padding.",
                "Attention has no near and far: every token looks at every place.",
            ),
            Option(
                "Something in both cases: a larger batch computes other numbers.",
                "The texts of a batch don't see each other. What differs with the mask is rounding at most.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.pad-id",
        "Somebody makes the mask afterwards, as <code>ids == pad_id</code>. When does that go wrong?",
        (
            Option(
                "When a text holds <code>pad_id</code> itself.",
                "Models without a padding token (GPT-2, for one) are often padded with their end-of-text token; then "
                "real ends of texts are masked too. Only the lengths know for sure.",
                right=True,
            ),
            Option(
                "Never: that is what the padding's number is for.",
                "In BERT's vocabulary it goes well, because nobody writes <code>[PAD]</code>. There are models "
                "whose padding number is a token of their texts.",
            ),
            Option(
                "When <code>pad_id</code> isn't 0.",
                "The comparison works with any number.",
            ),
            Option(
                "When all texts have the same length.",
                "Then nothing is equal to <code>pad_id</code>, and the mask is False everywhere, as it should be.",
            ),
        ),
    ),
    Question(
        "embeddings.which-rows",
        "A text of the tokens 7, 2, 7, 5 is looked up in a table with ten rows, the vectors are summed, and "
        "the gradient is computed. Which rows of the table get one?",
        (
            Option(
                "2, 5 and 7, and row 7 twice as much.",
                "The rows that were read, as often as they were read. All others keep a gradient of 0: a rare "
                "token is trained rarely.",
                right=True,
            ),
            Option(
                "All ten: the table is one parameter.",
                "The gradient has the shape of the whole table, but it is 0 in the rows that no one read: the "
                "result doesn't depend on them.",
            ),
            Option(
                "2, 5 and 7, all the same.",
                "Token 7 stands in two places, and the gradients of both places add up in its one row.",
            ),
            Option(
                "None: a look-up is not differentiable.",
                "With respect to the <i>number</i> it isn't. With respect to the table it is: the result is a copy "
                "of its rows.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.cosine-length",
        "One vector is multiplied by 10. What becomes of its cosine similarities with others?",
        (
            Option(
                "They stay as they are.",
                "The length is divided out again: only the direction counts. The dot product would be ten times as "
                "large.",
                right=True,
            ),
            Option(
                "They become ten times as large.",
                "That is the dot product. A cosine is never above 1.",
            ),
            Option(
                "They move towards 1.",
                "Longer is not closer: the angle to the others is the same as before.",
            ),
            Option(
                "They become ten times as small.",
                "The product grows tenfold and the length does so too: their quotient stays.",
            ),
        ),
    ),
    Question(
        "embeddings.opposites",
        "The vectors were trained on nothing but which words stand near each other. Which word stands closest to "
        "<i>true</i>?",
        (
            Option(
                "<i>false</i>, its opposite.",
                "Opposites stand in the same surroundings: <i>returns true if</i>, <i>returns false if</i>. "
                "Such vectors say what a word is <i>about</i>, less what it says about it. The same happens with "
                "<i>start</i> and <i>end</i>, <i>left</i> and <i>right</i>.",
                right=True,
            ),
            Option(
                "<i>correct</i>, which means much the same.",
                "In a dictionary, yes. In these texts the two rarely stand in the same place of a sentence.",
            ),
            Option(
                "<i>returns</i>, which often stands beside it.",
                "Standing <i>beside</i> each other is not what makes vectors alike. Having the same neighbours is.",
            ),
            Option(
                "<i>the</i>, the most frequent word.",
                "It stands beside everything, and so has no surroundings of its own that it could share with "
                "<i>true</i>.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.one-vector",
        "The row of <i>bank</i> in MiniLM's table has neighbours such as <i>banking</i>. A sentence "
        "says <i>the bank of the river</i>. Where does the model find out that no money is meant?",
        (
            Option(
                "In its layers, from the other tokens.",
                "The table gives the same row in every sentence. Attention then mixes in what stands around it: "
                "chapter 02 begins with this very word.",
                right=True,
            ),
            Option(
                "In the table: it has a second row for the other meaning.",
                "One token, one row. The table cannot know in which sentence it is read.",
            ),
            Option(
                "Nowhere: it takes every bank for one with money.",
                "With the table alone it would. That was the limit of word vectors before 2018.",
            ),
            Option(
                "In the positions: the place tells the meaning.",
                "A position says where the token stands and nothing about what stands beside it.",
            ),
        ),
    ),
    Question(
        "embeddings.word-order",
        "MiniLM without its positions reads <i>The dog bit the man</i> and <i>The man bit the dog</i>. What is "
        "the cosine similarity of the two sentences' vectors?",
        (
            Option(
                "1: to this model they are the same sentence.",
                "The same tokens, and nothing that says where each stands: every layer computes the same numbers for "
                "both, in another order, and the mean over the tokens forgets the order. It is 1 up to rounding.",
                right=True,
            ),
            Option(
                "A little below 1: <i>bit</i> has other neighbours.",
                "Neighbours are a matter of places, and there are none: attention sees a set of tokens.",
            ),
            Option(
                "Clearly below 1: the attention weights know who bites whom.",
                "They are computed from the tokens' vectors alone, and those are the same in both sentences.",
            ),
            Option(
                "It is the same as with positions.",
                "With them the two are close, too, but not equal: that small difference is what the order makes "
                "here.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.slowest-wave",
        "In the table of 32 columns, how many places does the slowest pair of columns need for a full turn?",
        (
            Option(
                r"About 35,000: $2\pi \cdot 10000^{30/32}$.",
                "The last pair has $i = 15$, so its exponent is 30/32, not quite 1. With more columns it comes "
                r"closer to $2\pi \cdot 10000$, about 63,000.",
                right=True,
            ),
            Option(
                "About 6: every hand makes a turn in $2\\pi$ places.",
                "That is the fastest one, the columns 0 and 1.",
            ),
            Option(
                "40, the number of places in the picture.",
                "The pattern doesn't know how long the text is. It is the same for any length.",
            ),
            Option(
                "Exactly 10,000, the base.",
                r"The base enters as an angle in radians, so a turn takes $2\pi$ times as long; and the exponent of "
                "the last pair is 30/32.",
            ),
        ),
    ),
    Question(
        "embeddings.moved",
        "The query at place 7 and the key at place 3 have some product, both turned. They move to 107 and 103. What is "
        "their product now?",
        (
            Option(
                "The same.",
                "Both are turned further by the same angles, so the angle between them stays. Only the distance "
                "counts, and its sign: the query at 3 and the key at 7 make another product.",
                right=True,
            ),
            Option(
                "Smaller: places far out count for less.",
                "A turn changes no length, and nothing in it knows how far out it is.",
            ),
            Option(
                "Another one: all angles have changed.",
                "The angles of both have, by the same amount. The product sees their difference.",
            ),
            Option(
                "The same up to a sign.",
                "No sign can turn round: the angle between the two is exactly what it was.",
            ),
        ),
        kind="predict",
    ),
    Question(
        "embeddings.rotary-where",
        "In a model with rotary positions, what is turned?",
        (
            Option(
                "Queries and keys, in every layer.",
                "The place matters where a query meets a key. What the token hands over, its value, stays as it is; "
                "and since nothing was added to the vectors, each layer turns anew.",
                right=True,
            ),
            Option(
                "The token vectors, once, before the first layer.",
                "That is where sinusoidal and learned positions are added. Turned vectors would be mixed by the first "
                "layer's matrices, and the rule about distances would be lost.",
            ),
            Option(
                "Queries, keys and values.",
                "Turned values would carry their places into the mean, and the result would depend on where things "
                "stand, not on how far apart.",
            ),
            Option(
                "The keys only.",
                "Then the product would depend on the place of the key and not on the distance.",
            ),
        ),
    ),
)
