# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown] id="title"
# # 09 Vision and speech
#
# ```
#         ..**%%@@@@%%
#         **==::**--%%++          Read this. You see a digit. A network sees
#               --%%##            64 numbers, and the encoder of chapter 04
#             ::@@++              sees what it always sees: a sequence of
#             --@@==              vectors. One of the classifiers below reads
#               **%%..            a 7 here.
#           ..--@@..
#         ..@@@@--
# ```
#
# An encoder reads a sequence of vectors. Nothing in it says that they must be words. This chapter cuts images into patches and sounds into frames, gives them to the layer that you built in chapter 04, and trains it, a minute or two each, to read digits that people wrote and to write down digits that voices said.
#
# **When you are through, you can**
#
# - turn an image into a sequence of patches, and a sound into a sequence of frames;
# - train a Vision Transformer, and say honestly when something simpler wins, and why;
# - show that its positions have learned the grid, and tell where it looks from what its answer hangs on;
# - train an encoder that writes down spoken digits;
# - say what CTC adds up, and compute it.
#
# **You need** Python, a little PyTorch, and from the chapters before: the layer of 04, the honest evaluation of 06.
#
# **Time** About three hours: six exercises, 94 minutes by our count, and about 80 minutes to read, run and play. Sections 1 to 5, on images, make a good first sitting, 6 to 10, on sound, a second; it can begin in a fresh kernel.

# %% id="setup"
import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from course import check, datasets, explain, figures, hint, labs, predict, quiz, use
from course.content.recorded import recording
from course.content.vision_and_speech import images
from course.content.vision_and_speech.experiments.images import baselines, looks, model, recipe
from course.content.vision_and_speech.experiments.images.distort import distort

# %% [markdown] id="any-sequence-section"
# ## 1 Any sequence of vectors
#
# > **In the article** (1.1): "计算机视觉：图像识别、目标检测、图像生成" (*computer vision: image recognition, object detection, image generation*) and "语音识别：语音转文本、语音合成" (*speech recognition: speech to text, speech synthesis*). And (1.2): "编码器负责将输入数据（例如文本、图像、语音）转换为隐藏表示" (*the encoder is responsible for turning the input data, for example text, images, speech, into a hidden representation*).
# >
# > Everything after that is about text; how an image or a sound gets into an encoder is left out. It takes one step in front of the encoder, and this chapter is about that step.
#
# What does a layer of chapter 04 know of words? Look at what it takes: a tensor $(B, S, D)$, and perhaps a mask. The words were gone before: the embedding had turned each into $D$ numbers, and the positions were added to these. So what must change in the layer before it can read something else?

# %% id="any-sequence-predict"
predict("vision.what-changes")

# %% id="any-sequence-run"
layer = use("stacking.EncoderLayer")(16, 2, 32).eval()  # yours, from chapter 04: D = 16
torch.manual_seed(0)
sequences = {
    "6 words, from a table": torch.nn.Embedding(1000, 16)(torch.tensor([[7, 4, 71, 9, 4, 2]])),
    "16 patches of 4 pixels": torch.nn.Linear(4, 16)(torch.rand(1, 16, 4)),
    "98 frames of 200 samples": torch.nn.Linear(200, 16)(torch.randn(1, 98, 200)),
}
for name, x in sequences.items():  # x is (B, S, D)
    print(f"{name:25} {tuple(x.shape)!s:12} → {tuple(layer(x).shape)}")

# %% id="any-sequence-explain"
explain("vision.what-changes")

# %% [markdown] id="any-sequence-note"
# *What to see:* one layer, one set of weights, three kinds of sequence: it reads whatever is written as $S$ vectors of $D$ numbers. What changes from one kind to the next stands in front of the encoder:
#
# | | a token is | how it becomes $D$ numbers | where it stands |
# |---|---|---|---|
# | text | a piece of a word | a row of a table | place in the sentence |
# | image | a square of pixels, a [patch](glossary.md#patch) | its pixels times a matrix | row and column |
# | sound | a few hundredths of a second, a [frame](glossary.md#frame) | its samples or frequencies, times a matrix | time |
#
# Words need a table because a word's number says nothing: word 8 is not nearly word 7. A pixel's number does say something, half as much ink is half the number, so a matrix is enough.

# %% [markdown] id="patches-section"
# ## 2 An image is a sentence of patches
#
# The images are real: 1,797 digits that thirteen people wrote, published in 1998, 8 x 8 pixels in 17 shades of grey. scikit-learn carries them; they are the test set of a larger collection.

# %% id="digits-show"
data = datasets.load("digits")  # split="writers"
print({name: len(getattr(data, name)) for name in ("train", "validation", "test")})
data.show(10)

# %% [markdown] id="writers-text"
# Who wrote which? The file doesn't say. But it has an order. Here are the labels at four places in it, each from the 31st of what we shall call a form:

# %% id="writers-run"
whole = (*data.train, *data.validation, *data.test)  # in the file's order
for number in (1, 2, 3, 14):
    form = [str(each.label) for each in whole if each.source == f"form {number}"]
    print(f"form {number:2}: {len(form)} digits; from the 31st on {''.join(form[30:80])}")
print(len({each.source for each in whole}), "forms")

# %% [markdown] id="writers-note"
# *What to see:* the same digits in the same order. Everybody filled in the same form, 130 digits, a few of which are missing. So the labels give away where one writer ends and the next begins, and we can hold out whole writers: forms 1 to 9 are for training, 10 for validation, 11 to 14 for test. (Fourteen forms and thirteen people: somebody may have filled in two. If these are on both sides of the split, one of our unknown writers is known.)
#
# Chapter 06 showed what a split at random hides: there 18 points. Section 4 measures it here.
#
# Our running example is of form 10. It stands at the top of this chapter:

# %% id="example-show"
digit = data.validation[45]  # "3 (image 1202)"
image = data.image(digit)  # (8, 8), 0 is paper and 1 is ink
rows_of_pixels = baselines.fitted("logistic regression", "writers")
read_as = int(baselines.predicted(rows_of_pixels, image[None]))
print("logistic regression on the 64 pixels:", read_as)
print("its writer meant:", digit.label)
figures.heads(image[None], titles=["8 x 8 pixels"], title="Our digit")

# %% [markdown] id="example-note"
# *What to see:* a 3 with a small upper bow and a hook at the bottom. Take the hook away and it is a 7. A linear classifier adds up evidence pixel by pixel, and can't say "a hook *below* a stroke": that takes pixels in relation to one another. Relating things to one another is what attention does. But which things?
#
# Pixels, one by one, would be 64 tokens here and 50,176 in a photograph of 224 x 224 pixels; attention compares all pairs. Dosovitskiy et al. (2021) take squares of 16 x 16 pixels instead: *An Image is Worth 16x16 Words*. Ours are 2 x 2.

# %% [markdown] id="patchify-text"
# ### Exercise 1: `patchify`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("vision.patchify")`*
#
# Given images `(B, C, height, width)` and the side of a patch in pixels, return the patches of each image as a sequence of vectors, `(B, N, C * patch * patch)`.
#
# ```
#   an image with one channel, 4 x 6 pixels       patch = 2 gives N = 2 * 3 = 6
#
#      0   1 |  2   3 |  4   5                    patch 0    0   1   6   7
#      6   7 |  8   9 | 10  11                    patch 1    2   3   8   9
#     -------+--------+--------                   patch 2    4   5  10  11
#     12  13 | 14  15 | 16  17                    patch 3   12  13  18  19
#     18  19 | 20  21 | 22  23                    patch 4   14  15  20  21
#                                                 patch 5   16  17  22  23
# ```
#
# - The patches follow one another as words do on a page: row by row, each row from left to right.
# - Each patch is flattened as `(C, patch, patch)`: all of its first channel, row by row, then all of its second channel.
# - Where height or width is not a multiple of `patch`, raise a `ValueError` whose message names the sizes. No pixel may be lost.
# - Images need not be square, and have any number of channels.
#
# *A tiny case.* An image of 2 x 2 pixels with two channels, `[[0, 1], [2, 3]]` and `[[4, 5], [6, 7]]`: with `patch = 2` it is one patch, `[0, 1, 2, 3, 4, 5, 6, 7]`; with `patch = 1` it is four, `[0, 4]`, `[1, 5]`, `[2, 6]`, `[3, 7]`.


# %% id="patchify-exercise" exercise="vision.patchify"
def patchify(images: Tensor, patch: int) -> Tensor:
    """Cut images (B, C, height, width) into N patches: (B, N, C * patch * patch)."""
    ### BEGIN SOLUTION
    batch, channels, height, width = images.shape
    if height % patch or width % patch:
        raise ValueError(
            f"{height} x {width} pixels cannot be cut into patches of {patch} x {patch}"
        )
    rows, columns = height // patch, width // patch
    x = images.reshape(batch, channels, rows, patch, columns, patch)
    x = x.permute(0, 2, 4, 1, 3, 5)  # (B, rows, columns, C, patch, patch)
    return x.reshape(batch, rows * columns, channels * patch * patch)
    ### END SOLUTION


# %% id="patchify-check"
check("vision.patchify", patchify)

# %% id="patchify-use"
patchify = use("vision.patchify")

# %% [markdown] id="sentence-text"
# Your function on our digit. The picture shows the sequence as the encoder gets it: one patch after another, in reading order.

# %% id="sentence-run"
sentence = patchify(image[None, None], 2)  # (B, N, 4)
print(tuple(sentence.shape), "- a sentence of 16 words, 4 numbers each")
print("word 2:", sentence[0, 2].tolist())
figures.heads(
    sentence[0].reshape(16, 2, 2), titles=[str(n) for n in range(16)], per_row=16,
    title="The sentence",
)

# %% [markdown] id="sentence-note"
# *What to see:* nothing of a 3. Each word is a corner, a stroke, a bit of paper; what they mean stands in their order, as in a sentence. The image **is** a sentence now, and all you know of chapters 01 to 04 holds for it.
#
# How long are such sentences? With patches of $P$ pixels an image of $H \times W$ has $N = HW / P^2$ of them, and attention has $N^2$ scores.

# %% id="patch-size-quiz"
quiz("vision.half-the-patch")

# %% [markdown] id="unpatchify-text"
# ### Exercise 2: `unpatchify`
# *Difficulty 2 of 3, about 12 minutes. Hints: `hint("vision.unpatchify")`*
#
# Undo `patchify`: given the patches `(B, N, C * patch * patch)` and the height and width of the images, return the images `(B, C, height, width)`.
#
# ```
#   patches   (B, N, C * patch * patch)
#   split     (B, rows, columns, C, patch, patch)       N is rows * columns
#
#                    the rows within a patch move behind the rows of patches,
#                    the columns within a patch behind the columns of patches
#
#   moved     (B, C, rows, patch, columns, patch)
#   joined    (B, C, height, width)                     height is rows * patch
# ```
#
# - `N` is `(height // patch) * (width // patch)`, and both sides are multiples of `patch`: nothing need be checked.
# - The number of channels follows from the length of a patch.
# - What a network has computed for each patch can be put together in the same way, so gradients must pass.
#
# *A tiny case.* The patches `[0, 1, 4, 5]` and `[2, 3, 6, 7]` with `patch = 2`, `height = 2` and `width = 4` are the image `[[0, 1, 2, 3], [4, 5, 6, 7]]`.


# %% id="unpatchify-exercise" exercise="vision.unpatchify"
def unpatchify(patches: Tensor, patch: int, height: int, width: int) -> Tensor:
    """Put patches (B, N, C * patch * patch) together again: (B, C, height, width)."""
    ### BEGIN SOLUTION
    batch, _, size = patches.shape
    rows, columns, channels = height // patch, width // patch, size // (patch * patch)
    x = patches.reshape(batch, rows, columns, channels, patch, patch)
    x = x.permute(0, 3, 1, 4, 2, 5)  # (B, C, rows, patch, columns, patch)
    return x.reshape(batch, channels, height, width)
    ### END SOLUTION


# %% id="unpatchify-check"
check("vision.unpatchify", unpatchify)

# %% id="unpatchify-use"
unpatchify = use("vision.unpatchify")

# %% [markdown] id="mixed-text"
# The way back makes a test possible. Take the sentence, put its words in another order, and look at the image that it makes. What of it can an encoder see that has no positions?

# %% id="mixed-predict"
predict("vision.mixed-patches")

# %% id="mixed-run"
torch.manual_seed(0)
order = torch.randperm(16)
patches = patchify(image[None, None], 2)  # (B, N, 4)
mixed = unpatchify(patches[:, order], 2, 8, 8)  # (B, C, 8, 8)

embed = torch.nn.Linear(4, 16)
with torch.no_grad():
    plain = layer(embed(patches)).mean(dim=1)  # (B, D), no positions
    shuffled = layer(embed(patchify(mixed, 2))).mean(dim=1)
    places = torch.randn(16, 16)  # (N, D)
    plain_placed = layer(embed(patches) + places).mean(dim=1)
    shuffled_placed = layer(embed(patchify(mixed, 2)) + places).mean(dim=1)
print(f"without positions the pooled vectors differ by {(plain - shuffled).abs().max():.0e}")
print(f"with positions by {(plain_placed - shuffled_placed).abs().max():.2f}")
figures.heads(torch.stack([image, mixed[0, 0]]), titles=["the image", "mixed"], per_row=2)

# %% id="mixed-explain"
explain("vision.mixed-patches")

# %% [markdown] id="mixed-note"
# *What to see:* without positions both images are the same to an encoder, up to rounding: a bag of patches. (Chapter 02 had the same with words.) How much of a digit is left in the bag? The recording of section 4 has a model that was trained without positions.

# %% [markdown] id="training-vision-section"
# ## 3 A Vision Transformer
#
# Three parts are missing between the patches and an answer:
#
# ```
#   image          (B, 1, 8, 8)
#     patchify     (B, 16, 4)       16 words of 4 numbers
#     x matrix     (B, 16, D)       the embedding
#     + positions  (B, 16, D)       a learned vector for each place
#     encoder      (B, 16, D)       your layers
#     mean         (B, D)           one vector for the image
#     x matrix     (B, 10)          a logit for each digit
# ```
#
# That is a [Vision Transformer](glossary.md#Vision-Transformer), in the form of Dosovitskiy et al. (2021, section 3.1), except that theirs reads the answer from a *class token*, a vector in front of the sequence like BERT's `[CLS]`; we take the mean, which adds no token.
#
# Patches and a matrix are not new, by the way. It is a convolution whose window moves by its own width:

# %% id="convolution-run"
x = torch.rand(3, 1, 8, 8)
linear = torch.nn.Linear(4, 64)
by_patches = linear(patchify(x, 2))  # (B, N, D)
kernel = linear.weight.reshape(64, 1, 2, 2)  # the matrix, each row as a patch
by_convolution = F.conv2d(x, kernel, linear.bias, stride=2)  # (B, D, 4, 4)
difference = (by_patches - by_convolution.flatten(2).transpose(1, 2)).abs().max()
print(f"largest difference {difference:.0e}")

# %% [markdown] id="borders-text"
# Two things we add, because 1,157 images are few.
#
# **A look over the border.** Patches of 2 x 2 cut strokes to pieces. Lee et al. (2021) put four copies of the image, shifted by half a patch along the diagonals, beside it as channels. So each patch still is one token, and has 20 numbers: its own four pixels and those around it. Your `patchify` takes channels, so nothing else changes.
#
# **Other hands.** Each time an image is learned from, it is turned, slanted, scaled, shifted and bent a little, as another hand would have written it (Simard et al., 2003). One 3 gives as many as you like:

# %% id="distort-run"
torch.manual_seed(0)
hands = torch.cat([image[None], distort(image.expand(7, 8, 8))])  # (8, 8, 8)
with_borders = patchify(model.with_shifted(recipe.prepare(image[None])), 2)
print("a sentence with borders:", tuple(with_borders.shape))
figures.heads(hands, titles=["as written", *["another hand"] * 7], per_row=8)

# %% [markdown] id="training-vision-text"
# Now train. The encoder's layers are **your** `EncoderLayer`, the images are cut by **your** `patchify`; where an answer hasn't passed yet, the reference stands in.

# %% id="training-vision-parts"
training = images.digit_reader(
    "writers", layer=use("stacking.EncoderLayer"), patchify=patchify
)
for part, whose in training.parts.items():
    print(f"{part}: {whose}")
print(f"{sum(p.numel() for p in training.build(training.settings).parameters()):,} parameters")

# %% id="training-vision-predict"
predict("vision.what-positions-learn")

# %% id="training-vision-theatre"
theatre = labs.TrainingTheatre(training)
theatre

# %% [markdown] id="training-vision-theatre-note"
# Press **Start** (or run the next cell). Six digits of the validation form are read again as it goes on, those that a support vector machine finds hardest. The dashed lines are classifiers without a network; section 4 is about them.

# %% id="training-vision-result"
trained = theatre.result()  # waits for the end
reader = trained.model
print(f"{trained.settings.steps:,} updates in {trained.seconds:.0f} s")
print(f"unknown writers' digits: {trained.test['accuracy']:.1%} right")
print(f"read nine times each:    {trained.test['read often']:.1%}")
print(f"their patches mixed:     {trained.test['patches mixed']:.1%}")
chances = images.read(reader, image[None])[0]  # (10,)
print(f"our digit: {int(chances.argmax())}, with probability {chances.max():.2f}")

# %% [markdown] id="training-vision-note"
# *What to see:* nearly all digits are read, of writers whose hand the network has never seen. With the patches mixed about one in ten is right, which guessing reaches too: the network reads the patches by their places.
#
# And the second line? Each image is read as it is and in eight distorted versions, as other hands would have written it, and the nine lists of probabilities are averaged (`read_often` in `experiments/images/views.py`). No weight changes. Where an answer hangs on how a stroke happens to fall into the patches, the other versions can outvote it. Krizhevsky et al. (2012, section 4.1) read ten views of each photograph for the same reason. The price is nine readings for one answer; what follows reads an image once, unless it says otherwise.

# %% [markdown] id="positions-text"
# **Where is the grid?** The network got 16 vectors in a row and, for each place, a vector of random numbers as its position. Nobody told it that place 5 stands *below* place 1, or that an image has rows at all. For each position, draw its cosine with all 16, laid out as the image is.

# %% id="positions-run"
fresh = training.fresh_model(trained.settings)
alike = {
    "at the start": looks.likeness(fresh),  # (N, N)
    "what training has added": looks.likeness(reader, fresh),
}
for what, table in alike.items():
    print(f"{what}: correlation with distance {looks.grid_correlation(table):+.2f}, ", end="")
    print(f"most alike is a neighbour for {looks.neighbours(table)} of 16")
figures.heads(
    alike["what training has added"].clamp(min=0).reshape(16, 4, 4),
    titles=list(images.named()), per_row=8,
    title="What training has added to each position, and where it has added the like",
)

# %% id="positions-explain"
explain("vision.what-positions-learn")

# %% [markdown] id="positions-note"
# *What to see:* before the training there is no pattern. The random start stays in a position for good, so the picture shows what the training has *added* to each: most places are now most like a place that touches theirs, at a side or a corner (by chance it would be 5 or 6 of 16), and the likeness tends to fall with the distance. The grid is there in outline, and no line of code has mentioned it. Dosovitskiy et al. (2021, figure 7) show the same for a grid of 7 x 7 patches and millions of images, much cleaner.

# %% [markdown] id="little-data-section"
# ## 4 Who wins on little data
#
# A Vision Transformer has to learn that neighbouring pixels belong together. A convolutional network (CNN) has that built in: each of its filters sees 3 x 3 pixels, and the same filter runs over the whole image. Such an assumption is an [inductive bias](glossary.md#inductive-bias). What is it worth? Beside the Transformer stand
#
# - a CNN with about as many parameters, trained for as many updates on images distorted in the same way;
# - a support vector machine (SVM), which has no picture of an image at all: it compares the 64 numbers of two images, whatever their order. One copy of it gets nine distorted versions of each image to learn from.

# %% id="little-data-predict"
predict("vision.who-wins")

# %% id="little-data-recorded"
recorded = recording("vision_and_speech.vision")  # made by benchmarks/applications.py
print(f"Recorded, not trained here: {recorded.machine}")
of_all = ["Transformer", "CNN", "SVM", "SVM, distorted copies", "logistic regression"]
without = ["Transformer, no distortions", "CNN, no distortions"]
few = [f"{name}, {count} images" for count in (100, 300) for name in ("Transformer", "CNN", "SVM")]
for title, rows in {"1,157 images": of_all, "images as they are": without, "few": few}.items():
    print(f"\n{title}")
    here = [row for row in rows if row in recorded.rows]
    print(recorded.text("test", here, accuracy="{:.1%}"))
print("\n1,157 images, and in the test each is read nine times")
print(recorded.text("test", of_all[:2], **{"read often": "{:.1%}"}))

# %% id="little-data-explain"
explain("vision.who-wins")

# %% [markdown] id="little-data-note"
# *What to see:* each network was trained three times, with another seed; the first number is the median, and the range is in brackets. The CNN wins, with half of the Transformer's errors in the median. The SVM is not far behind the Transformer, whose worst seed falls below it, and from images as they are it reads better than the Transformer does. That is not what the fame of Transformers would make you expect, and it is what Dosovitskiy et al. (2021, section 4.3) found, too: with less data their Transformers lost to CNNs, and overtook them on 300 million images. What is not built in has to be learned. The distortions tell the network a part of it (that a slanted 3 is a 3), and the Transformer gains more than four points by them. The SVM gains nothing. With 100 or 300 images the CNN wins again, and in the median both networks are ahead of the SVM. (They see each image distorted in ever new ways; this SVM has each image once.)
#
# Reading nine times helps the Transformer where it is weakest: its worst seed gains more than a point and passes the SVM, while the median stays at 98 %. The CNN loses a little with each seed.

# %% [markdown] id="pixels-mixed-text"
# Where does each get its knowledge of images from? Take it away and see. Put the 64 pixels of all images into another order, the same one for all, in training and in test. No information is lost: whoever knows the order can undo it. But neighbours are no longer neighbours.

# %% id="pixels-mixed-predict"
predict("vision.pixels-mixed")

# %% id="pixels-mixed-run"
both = torch.stack([image, recipe.mix_pixels(image[None])[0]])
ordered = {"Transformer": "Transformer, no distortions", "CNN": "CNN, no distortions", "SVM": "SVM"}
for name, row in ordered.items():
    before = recorded.rows[row].spread("test", "accuracy").median
    after = recorded.rows[f"{name}, pixels mixed"].spread("test", "accuracy").median
    print(f"{name:12} {before:.1%} → {after:.1%}")
figures.heads(both, titles=["our digit", "its pixels mixed"], per_row=2)

# %% id="pixels-mixed-explain"
explain("vision.pixels-mixed")

# %% [markdown] id="pixels-mixed-note"
# *What to see:* these are the networks that learned from images as they are, without distortions. The CNN loses four points and falls back behind the SVM: what it takes for granted is false now. The SVM loses nothing, to the last digit: distances between images don't depend on the order of their pixels. The Transformer loses nothing that could be told from the spread of its seeds, and that is the surprise: its patches are squares of neighbours. What it had learned of these 1,157 images did as well without that. A reading of this, which the numbers allow and don't prove: without distorted images it had not found out that neighbours belong together, so it could not lose it.

# %% id="writers-known-run"
known = [f"{name}, writers known" for name in ("Transformer", "CNN", "SVM")]
print("a quarter of the images held out at random, so that each writer is known from training:")
print(recorded.text("test", known, accuracy="{:.1%}"))
print("read nine times each:")
print(recorded.text("test", known[:2], **{"read often": "{:.1%}"}))
print("\nthe parts of our recipe, each left out, and writers held out:")
parts = ["Transformer", "Transformer, plain patches", "Transformer, plain patches, no positions"]
print(recorded.text("test", parts, accuracy="{:.1%}"))

# %% [markdown] id="writers-known-note"
# *What to see:* with every writer known from training the SVM makes one error in 449 images and the CNN about none: with each hand known from training, comparing images is enough. Judged by this split you would take the SVM and leave the Transformer. Judged by writers whom nobody has seen, which is what you want to know, they change places in the median. Nine readings bring the Transformer to one, two and three errors here, and the CNN to one with each seed.
#
# Below that stand the parts of our recipe: the border around the patches is worth about a point in the median, and seeds differ by more. Without positions half of the digits can be told from the bag of their patches, and no more.

# %% [markdown] id="looking-section"
# ## 5 What it looks at
#
# An attention map over an image is often shown as the reason for an answer. Draw it for our digit: how much attention each patch gets, in the mean of all layers, heads and queries. And beside it what chapter 06 did with words: cover one patch after another with paper, and see how the answer's logit changes.

# %% id="looking-predict"
predict("vision.looked-at")

# %% id="looking-run"
attention = looks.received(reader, image[None])[0]  # (N,)
changes = looks.away(reader, image[None])[0]  # (N,): of the answer's logit
for name, values in (("attention", attention), ("change of the logit", changes)):
    place = int(values.abs().argmax())
    print(f"{name:20} largest at patch {images.named()[place]}: {values[place]:+.2f}")
blank = looks.covered(image[None])[0]  # (N, 8, 8)
answers = images.read(reader, blank).argmax(dim=-1).reshape(4, 4)  # with each patch covered
print("what it reads with each patch covered:", *answers.tolist(), sep="\n")
figures.heads(
    torch.stack([image, looks.as_image(attention), looks.as_image(changes.abs())]),
    titles=["the image", "attention", "what it hangs on"], per_row=3,
    title="Where it looks, and what its answer hangs on (each scaled to its largest)",
)

# %% [markdown] id="looking-note"
# *What to see:* where the grid of answers has another digit than 3, the covered patch alone decides. In our run there were two such patches. Without the hook at the bottom (3,1) the network read a 7, without the right end of the upper bow (1,2) a 5; all others could go, one at a time. Another seed or machine may find one more or one less. Then compare the maps: does the attention single out the same patches? In ours it was flatter. It went to the ink, a little more to the hook, and did not mark the second patch.

# %% id="agreement-run"
test_images, test_labels = data.tensors(data.test)
agreement = looks.compare(reader, test_images)
print("the patch that the answer hangs on most is")
print(f"  the one with the most attention in {agreement.by_attention:.0%} of the test images")
print(f"  the one with the most ink in       {agreement.by_ink:.0%}")
print(f"  one drawn at random in             {agreement.by_chance:.0%}")
print(f"rank correlation of the two maps: {agreement.rank:+.2f}")

# %% id="looking-explain"
explain("vision.looked-at")

# %% [markdown] id="agreement-note"
# *What to see:* on average over the whole test, attention finds the patch that matters more often than chance would, and less often than "the darkest patch" does. The two maps rank the patches alike in part, because both leave out the paper. As in chapter 06: attention says where values are fetched, and what the answer hangs on has to be tested.

# %% [markdown] id="vision-lab-text"
# Now draw yourself. The lab reads while you draw, with the model that you have trained; it begins with our 3 and a few digits of the validation form. Rub the hook out and watch the answer. Click a patch to cover it, mix the patches, switch the positions off.

# %% id="vision-lab"
some = [45, 107, *range(10)]  # our 3, a 1, and ten digits in their order
some_images, some_labels = data.tensors([data.validation[number] for number in some])
labs.VisionLab(
    labs.with_standard_layers(reader), some_images, some_labels,
    prepare=images.as_the_model_takes,
)

# %% id="looking-quiz"
quiz("vision.map-and-reason")

# %% [markdown] id="photographs-text"
# ### Photographs, if you like
#
# The digits are small and grey, so that they fit into a package. [CIFAR-10](https://www.cs.toronto.edu/~kriz/cifar.html) has 60,000 photographs of 32 x 32 pixels in colour, of ten kinds of things (Krizhevsky, 2009). Nothing is fetched unless you say so. With `fetch = True` the cell downloads them, 170 MB, once, and trains a Vision Transformer of **your** layers and **your** `patchify`, with patches of 4 x 4 pixels in three colours: 64 words of 48 numbers. The training is 1,200 updates long, some minutes on one core.

# %% id="photographs-run"
from course.content.vision_and_speech import photographs

fetch = False  # True: download 170 MB, once
print(photographs.learn(use("stacking.EncoderLayer"), patchify, download=fetch))

# %% [markdown] id="photographs-note"
# *If you have fetched them:* the numbers are yours alone. We wrote this without a network and have not seen them, so no sentence here says how large they are. Compare with the linear classifier, and with what section 4 says of little data: 1,200 updates of 64 images are less than two looks at each photograph. `datasets.load("cifar-10").show(10)` shows ten of them.

# %% [markdown] id="frames-section"
# ## 6 A sound is a sentence of frames
#
# > **In the article** (1.1): "语音识别：语音转文本、语音合成" (*speech recognition: speech to text, speech synthesis*).
# >
# > Only the first of the two is recognition. Synthesis is the way back: it makes speech of text. What follows does the first. The article (1.2) also names speech among an encoder's inputs, "输入数据（例如文本、图像、语音）" (*input data, for example text, images, speech*), and leaves open how a sound becomes something that an encoder can read. This section says how.
#
# (To begin a sitting here, in a fresh kernel, run the chapter's first code cell and the one below.)

# %% id="second-sitting"
import itertools

from IPython.display import Audio, display

from course.content.recorded import recording
from course.content.vision_and_speech import sounds
from course.content.vision_and_speech.experiments.speech import hearing
from encoder_core.models.log_mel import LogMel, hertz_to_mel

# %% [markdown] id="signal-text"
# A microphone measures the pressure of the air, many times a second. Ours does so 8,000 times, as a telephone does. Our speakers are no people: a speech synthesiser, eSpeak NG, says the ten digits with 71 different voices, each digit once. 49 voices are for training; the 8 of validation and the 14 of the test are never heard there. Voices that sound nearly alike are in one split.

# %% id="signal-run"
spoken = datasets.load("spoken-digits")
print(
    {name: len(getattr(spoken, name)) // 10 for name in ("train", "validation", "test")}, "voices"
)
andrea = [each for each in spoken.validation if each.source == "Andrea"]
said = hearing.join([andrea[3], andrea[3], andrea[7]])  # "three three seven"
print(f"{len(said.signal):,} samples, {len(said.signal) / spoken.rate:.2f} s: {said.words}")
Audio(said.signal.numpy(), rate=spoken.rate)

# %% [markdown] id="signal-note"
# *Listen:* three, three, seven. Could an encoder read the samples themselves, one token each? Attention compares all pairs. At 8,000 tokens a second, two seconds are 256 million pairs in each head. And one sample says nothing: it is a height at a moment, and what we hear is how it swings.
#
# So we cut the sound into [frames](glossary.md#frame): pieces of 25 ms, short enough that the mouth hardly moves in one, long enough for several swings of a voice. A new one begins every 10 ms, so that nothing falls between two of them.

# %% [markdown] id="frame-text"
# ### Exercise 3: `frame`
# *Difficulty 1 of 3, about 12 minutes. Hints: `hint("speech.frame")`*
#
# Given signals `(B, samples)`, return their frames `(B, N, size)`: frame n holds the `size` samples from sample `n * hop` on.
#
# ```
#   signal    0   1   2   3   4   5   6   7        size = 4, hop = 2: N = 3
#
#   frame 0  [0   1   2   3]
#   frame 1          [2   3   4   5]
#   frame 2                  [4   5   6   7]
#   frame 3                          [6   7        incomplete: dropped
# ```
#
# - Nothing is padded: a frame that the signal does not fill is dropped. A signal shorter than `size` has no frame at all, and the result is `(B, 0, size)`.
# - Frames overlap where `hop` is smaller than `size`. Where it is larger, the samples between two frames are in neither of them.
# - `size` and `hop` are at least 1.
#
# *A tiny case.* Five samples `0 1 2 3 4` with `size = 3` and `hop = 2`: the frames `[0, 1, 2]` and `[2, 3, 4]`. With four samples there is the first one alone, with two there is none.


# %% id="frame-exercise" exercise="speech.frame"
def frame(signal: Tensor, size: int, hop: int) -> Tensor:
    """Cut signals (B, samples) into overlapping frames: (B, N, size)."""
    ### BEGIN SOLUTION
    count = max(0, (signal.shape[1] - size) // hop + 1)  # N, whole frames alone
    starts = hop * torch.arange(count, device=signal.device)  # (N,)
    places = starts[:, None] + torch.arange(size, device=signal.device)  # (N, size)
    return signal[:, places]  # (B, N, size)
    ### END SOLUTION


# %% id="frame-check"
check("speech.frame", frame)

# %% id="frame-use"
frame = use("speech.frame")

# %% id="frames-run"
size, hop = 200, 80  # samples: 25 ms, every 10 ms
frames = frame(said.signal[None], size, hop)  # (1, N, size)
print(f"{len(said.signal):,} samples become {frames.shape[1]} frames of {frames.shape[2]} samples")

# %% [markdown] id="spectrum-text"
# What swings in a frame, and how fast? The discrete Fourier transform asks that for us: it writes the frame as a sum of waves, and `torch.fft.rfft` returns the size of each. With 200 samples at 8,000 a second the waves are 40 Hz apart: 0, 40, 80, up to 4,000 Hz. Their squares are the frame's *power spectrum*.
#
# Now a pure tone of 1,020 Hz, half-way between two of these waves. One frame of it, cut out as it is; and the same frame under a *window*, a curve that rises from 0 to 1 and falls to 0 again. The picture measures power in decibels (dB), ten times $\log_{10}$ of its ratio to the largest: $-10$ dB are a tenth of it, $-30$ dB a thousandth.

# %% id="window-predict"
predict("speech.window")

# %% id="window-run"
tone = hearing.tone(1020, seconds=0.025)  # (size,)
window = torch.hann_window(size)
powers = {
    "cut out as it is": torch.fft.rfft(tone).abs().square(),
    "under a window": torch.fft.rfft(tone * window).abs().square(),
}
decibels = {name: 10 * (power / power.max()).log10() for name, power in powers.items()}
for name, level in decibels.items():
    print(f"{name:16}  at 2,000 Hz {level[50]:6.1f} dB")
figures.lines(
    40 * torch.arange(101),
    decibels,
    x_title="Hz",
    y_title="dB below the largest",
    title="One frame of a tone of 1,020 Hz",
)

# %% id="window-explain"
explain("speech.window")

# %% [markdown] id="window-note"
# *What to see:* the transform takes the frame for one turn of something that repeats for ever. A tone that doesn't fit into the frame a whole number of times then has a jump at each seam, and a jump holds every frequency: at 2,000 Hz, where there is nothing, the bare frame still has about a four-thousandth of the peak's power. Under the window it is less than a billionth. Both ends are 0 there, and there is no jump. The price stands in the middle: the peak is wider.
#
# A loud vowel would cover a faint consonant otherwise. That is why front ends for speech use a window, and so does yours from here on.

# %% [markdown] id="mel-text"
# The ear is finer below than above: 100 and 200 Hz are an octave apart, 3,000 and 3,100 Hz about half a semitone. The [mel scale](glossary.md#mel-scale) is made so that equal steps *sound* equal. We take the usual formula (O'Shaughnessy, 1987):
#
# $$m = 2595 \log_{10}\left(1 + \frac{f}{700}\right)$$
#
# Forty triangles, equally wide in mels, gather the 101 numbers of a spectrum into 40 bands (Davis and Mermelstein, 1980). Here is every fifth of them.

# %% id="mel-run"
log_mel = LogMel(spoken.rate, bands=40)
centres = 40 * log_mel.filters.argmax(dim=0)  # Hz, of each band
print(f"{(centres < 1000).sum()} of 40 bands have their centre below 1,000 Hz")
mels = hertz_to_mel(torch.tensor([500.0, 1000.0, 2000.0, 4000.0]))
print("mels of 500, 1000, 2000 and 4000 Hz:", [round(mel) for mel in mels.tolist()])
figures.lines(
    40 * torch.arange(101),
    {f"band {band}": log_mel.filters[:, band] for band in range(4, 40, 5)},
    x_title="Hz",
    y_title="weight",
    title="Mel bands: narrow below, wide above",
)

# %% [markdown] id="logarithm-text"
# Last, the logarithm. Loudness is heard in factors: each step of the volume that sounds alike multiplies the power. And the power of a hiss is a small part of a vowel's; on a linear axis there would be vowels and nothing else.

# %% id="log-mel-run"
power = torch.fft.rfft(frames * window).abs().square()  # (1, N, 101)
energies = (power @ log_mel.filters)[0]  # (N, 40)
loud = (energies > energies.max() / 100).float().mean()
print(f"{loud:.0%} of all energies are within a hundredth of the largest")
twice = log_mel(2 * said.signal[None]) - log_mel(said.signal[None])
print(
    f"twice the signal adds {twice.max():.3f} to each energy; log10(4) = {math.log10(4):.3f}"
)
hearing.draw_over(log_mel, said, title="Log-mel energies of “three three seven”")

# %% [markdown] id="log-mel-note"
# *What to see:* this picture is what the encoder reads: a row of frames in time, each a vector of 40 numbers, low tones below. The two *three*s are the same picture, one after the other. The bright bars in a vowel that drift up and down are its *formants*, the resonances of the mouth; the wide cloud at the top of *seven* is the hiss of its s.
#
# A factor on the signal is now a term in every number: with the mean over the frames taken out, a louder recording is the same picture. And with the mean of each band taken out, it hardly matters which tones a microphone likes more than others (Atal, 1974). `EvenLogMel` in `experiments/speech/front.py` does that; our reader has it.

# %% id="log-mel-quiz"
quiz("speech.log-mel")

# %% [markdown] id="ctc-section"
# ## 7 Letters without an alignment
#
# The training pairs are a sound and its words. Nobody wrote down *when* each word is said. In chapter 06 a text had one label, and in chapter 05 each token had its own. Here there are 175 frames, or 44 steps of our encoder, and three words, and no rule which step should say which word.
#
# Graves et al. (2006) let every step write one symbol: a word, or a [blank](glossary.md#blank), which says "nothing new". What the steps write is a *path*. It is read by a rule: equal symbols in a row are one, then the blanks go.
#
# ```
#   path       ·  3  3  ·  ·  3  ·  ·  7  7  7  ·      one symbol a step
#   merged     ·  3     ·     3  ·     7        ·      repeats are one
#   text          3           3        7               blanks removed
# ```
#
# (The exercises say *letter* for a symbol that is no blank, and *frame* for a step: to what follows it makes no difference.)

# %% [markdown] id="ctc-collapse-text"
# ### Exercise 4: `ctc_collapse`
# *Difficulty 1 of 3, about 8 minutes. Hints: `hint("speech.ctc_collapse")`*
#
# Given the ids of a path, one for each frame, and the id of the blank, return the text that the path spells, as a list of ids.
#
# ```
#   path             h   h   -   e   -   l   l   -   l   o   o      - is the blank
#   repeats merged   h       -   e   -   l       -   l   o
#   blanks removed   h           e       l           l   o
# ```
#
# - Merge first: a blank between two equal letters keeps both.
# - `blank` may be any id, not 0 alone. A path may be empty, or hold nothing but blanks.
# - The path itself stays as it is.
#
# *A tiny case.* With `blank = 0` the path `[3, 3, 0, 3, 4]` spells `[3, 3, 4]`.


# %% id="ctc-collapse-exercise" exercise="speech.ctc_collapse"
def ctc_collapse(ids: list[int], blank: int) -> list[int]:
    """The text that a path spells: repeats merged, then blanks removed."""
    ### BEGIN SOLUTION
    merged = [id for place, id in enumerate(ids) if place == 0 or id != ids[place - 1]]
    return [id for id in merged if id != blank]
    ### END SOLUTION


# %% id="ctc-collapse-check"
check("speech.ctc_collapse", ctc_collapse)

# %% id="ctc-collapse-use"
ctc_collapse = use("speech.ctc_collapse")

# %% id="blank-predict"
predict("speech.blank")

# %% id="blank-run"
for path in ([0, 3, 3, 0, 0, 3, 0, 7, 7], [3, 3, 3, 3, 3, 3, 7, 7, 7], [3, 0, 0, 0, 0, 3, 0, 0, 7]):
    print(path, "spells", ctc_collapse(path, blank=0))

# %% id="blank-explain"
explain("speech.blank")

# %% [markdown] id="blank-note"
# *What to see:* without a blank between them two equal words are one long word. A word may be held for as many steps as it lasts, and the blank may fill the rest: many paths spell the same text. How many?

# %% id="paths-run"
for steps in (3, 4, 5):
    paths = itertools.product(range(3), repeat=steps)  # blank, word 1, word 2
    spelled = [tuple(ctc_collapse(list(path), blank=0)) for path in paths]
    counts = f"{spelled.count((1, 2)):2} spell 1 2, {spelled.count((1, 1)):2} spell 1 1"
    print(f"{steps} steps: {3**steps:3} paths, {counts}")
steps = math.ceil(frames.shape[1] / 4)  # our encoder's steps: one for four frames
print(f"{hearing.path_count(3, steps):,} paths spell three different words in {steps} steps")

# %% [markdown] id="paths-note"
# *What to see:* the number explodes. Which of these paths should be the target? **All of them.** [CTC](glossary.md#CTC), *connectionist temporal classification*, maximises the probability that *some* path that spells the text is written, and that is the sum of their probabilities:
#
# $$p(y \mid x) = \sum_{\text{paths } a \text{ that spell } y} \; \prod_{n=1}^{N} p_n(a_n \mid x), \qquad \text{loss} = -\ln p(y \mid x)$$
#
# In a path the steps are independent of each other, given the sound: the probability of a path is a plain product. That lets the sum be made step by step, in $N (2T + 1)$ numbers for $N$ steps and a text of $T$ symbols, without listing a single path.

# %% [markdown] id="ctc-loss-text"
# ### Exercise 5: `ctc_loss`
# *Difficulty 3 of 3, about 30 minutes. Hints: `hint("speech.ctc_loss")`*
#
# Given the log probabilities of one recording, `(N, V)`, and the ids of its text, T of them, return a scalar tensor: `-log p`, where p is the sum of the probabilities of all paths that spell the text. The probability of a path is the product of the probabilities of its ids, one in each frame.
#
# There are too many paths to list, so the sum is made frame by frame. Write a blank before, between and after the letters: these are the 2 T + 1 states. A path begins in one of the first two states and ends in one of the last two. From one frame to the next it stays, goes on to the next state, or skips a blank between two letters that differ:
#
# ```
#   the text  h e l l o                            from one frame to the next
#
#   states   -  h  -  e  -  l  -  l  -  o  -       stay    - to -,  h to h
#            0  1  2  3  4  5  6  7  8  9 10       next    - to h,  h to -
#                                                  skip    h to e,  but not l to l
#   a path     h  h  -  e  l  -  l  o  o
#   in state   1  1  2  3  5  6  7  9  9           9 or 10 is where it may end
# ```
#
# Let `alpha[s]` be the log of the probability of all beginnings of paths that are in state s in this frame. In the next frame, `alpha[s]` is the log of the sum over the states that lead to s (`logsumexp` of their alphas), plus the log probability that this frame gives to the letter of s.
#
# - Two equal letters need a blank between them: the skip is not allowed there.
# - Stay with logarithms. A product of many probabilities is 0 in a computer long before it is 0 in truth.
# - The target has no blank in it, may be empty (then one path is left, of blanks alone), and `blank` may be any id.
# - Where the frames are too few for the text, no path spells it: p is 0, and the loss is `inf`. No gradient is asked for there.
# - Everywhere else a training must be able to use the gradient. `logsumexp` of nothing but `-inf` has a gradient of NaN, so leave out the states that no path has reached.
# - `log_probs` is float32 or float64, with at least one frame. `F.ctc_loss` computes the same for a batch; here you write what it does inside.
#
# *A tiny case.* Two frames, three ids that are all equally likely, `blank = 0`. The target `[1]` is spelled by the paths `1 1`, `1 0` and `0 1`, three of nine: the loss is `-log(3/9)`, about 1.10. The target `[1, 2]` has the path `1 2` alone, and the loss is `-log(1/9)`, about 2.20. The target `[1, 1]` would need three frames: the loss is `inf`.


# %% id="ctc-loss-exercise" exercise="speech.ctc_loss"
def ctc_loss(log_probs: Tensor, target: list[int], blank: int) -> Tensor:
    """-log p of a text, summed over all its paths: log_probs (N, V), one recording -> ()."""
    ### BEGIN SOLUTION
    states = [blank]  # a blank before, between and after the letters: 2 T + 1 states
    for letter in target:
        states += [letter, blank]
    alpha = {0: log_probs[0, blank]}  # log p of all ways into each state that can be reached
    if target:
        alpha[1] = log_probs[0, target[0]]
    for row in log_probs[1:]:
        before, alpha = alpha, {}
        for s, letter in enumerate(states):
            ways = [s, s - 1]  # stay, or come from the state before
            if letter != blank and letter != states[s - 2]:
                ways.append(s - 2)  # past a blank, between two letters that differ
            reached = [before[way] for way in ways if way in before]
            if reached:
                alpha[s] = torch.stack(reached).logsumexp(dim=0) + row[letter]
    ends = [alpha[s] for s in (len(states) - 1, len(states) - 2) if s in alpha]
    if not ends:  # too few frames for the text: p is 0
        return log_probs.new_tensor(math.inf)
    return -torch.stack(ends).logsumexp(dim=0)
    ### END SOLUTION


# %% id="ctc-loss-check"
check("speech.ctc_loss", ctc_loss)

# %% id="ctc-loss-use"
ctc_loss = use("speech.ctc_loss")

# %% [markdown] id="sum-text"
# Your loss against the sum by hand. Three steps, the blank and two words, and some probabilities:

# %% id="sum-predict"
predict("speech.sum")

# %% id="sum-run"
p = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.7, 0.1, 0.2]])  # (N, V), blank first
total = 0.0
for path in itertools.product(range(3), repeat=3):
    if ctc_collapse(list(path), blank=0) == [1]:
        own = math.prod(p[step, symbol].item() for step, symbol in enumerate(path))
        total += own
        print(path, f"{own:.3f}")
mine = ctc_loss(p.log(), [1], blank=0)
torchs = F.ctc_loss(p.log()[:, None], torch.tensor([[1]]), [3], [1], reduction="sum")
print(f"sum {total:.3f}, -ln {-math.log(total):.4f}; yours {mine:.4f}, torch's {torchs:.4f}")

# %% id="sum-explain"
explain("speech.sum")

# %% [markdown] id="sum-note"
# *What to see:* no path has to be likely. The likeliest has 0.21, and the text has 0.41, twice as much. What is the gradient at a step? Take the paths that spell the text, each weighted by its share of the sum: the gradient of the loss with respect to the logits is the model's probability minus the share of the paths that write this symbol at this step. So the model is taught with its own guess of the alignment, which becomes sharper as it learns.

# %% id="gradient-run"
logits = p.log().requires_grad_()
ctc_loss(logits.log_softmax(dim=-1), [1], blank=0).backward()
print("share of the paths that write each symbol at each step:")
print((p - logits.grad).round(decimals=3))

# %% id="ctc-quiz"
quiz("speech.ctc")

# %% [markdown] id="training-speech-section"
# ## 8 An encoder that reads spoken digits
#
# What is a good reader? Its texts may be too long or too short, so word 5 can't be held against word 5. The usual measure is the [word error rate](glossary.md#word-error-rate): how many words must be changed, added or removed, divided by the words spoken.

# %% [markdown] id="word-error-rate-text"
# ### Exercise 6: `word_error_rate`
# *Difficulty 2 of 3, about 20 minutes. Hints: `hint("speech.word_error_rate")`*
#
# Given what was written and what was spoken, each a list of texts and each text a list of words, return the word error rate, a float: the number of errors in all texts, divided by the number of words spoken.
#
# ```
#   spoken      the   cat   sat   on    the   mat
#   written     the   cut   sat         the   mat   too
#                      |           |                 |
#                   changed     missing          too many      3 errors / 6 words
# ```
#
# - The errors of a text are the fewest words that must be changed, added or removed to turn what was written into what was spoken. Each of them counts 1.
# - Sum the errors of all texts and the words of all texts, then divide once.
# - Text i of `written` belongs to text i of `spoken`. Either may be empty, but at least one word was spoken in all.
# - The rate can be larger than 1: with many words too many there are more errors than words.
#
# The fewest errors between the first i words written and the first j words spoken follow from three smaller cases: `i - 1` and `j - 1`, where the last two words are the same or one is changed; `i - 1` and `j`, where the last word written is too many; `i` and `j - 1`, where the last word spoken is missing.
#
# *A tiny case.* Written `a b` and `x`, spoken `a c d` and nothing: b is changed and d is missing in the first text, x is too many in the second: 3 errors, 3 words spoken, a rate of 1.


# %% id="word-error-rate-exercise" exercise="speech.word_error_rate"
def word_error_rate(written: list[list[str]], spoken: list[list[str]]) -> float:
    """Words changed, missing and too many, of all texts together, divided by the words spoken."""
    ### BEGIN SOLUTION
    errors = 0
    for ours, theirs in zip(written, spoken):
        row = list(range(len(theirs) + 1))  # nothing written: each word so far is missing
        for i, word in enumerate(ours, start=1):
            before, row = row, [i]  # nothing spoken: each word so far is too many
            for j, other in enumerate(theirs, start=1):
                changed = before[j - 1] + (word != other)
                too_many, missing = before[j] + 1, row[j - 1] + 1
                row.append(min(changed, too_many, missing))
        errors += row[-1]
    return errors / sum(len(theirs) for theirs in spoken)
    ### END SOLUTION


# %% id="word-error-rate-check"
check("speech.word_error_rate", word_error_rate)

# %% id="word-error-rate-use"
word_error_rate = use("speech.word_error_rate")

# %% [markdown] id="speech-training-text"
# Now all parts are there. The frames are cut by **your** `frame`, the layers are **your** `EncoderLayer` of chapter 04, paths are read by **your** `ctc_collapse` and scored by **your** `word_error_rate`; where an answer hasn't passed, the reference stands in. (The loss is torch's: yours computes the same, one recording and one step of Python at a time.)
#
# ```
#   signal          (B, samples)      8,000 a second
#   log-mel frames  (B, N, 40)          100 a second
#   two convolutions, each with stride 2
#   steps           (B, N / 4, 64)       25 a second
#   two layers of the encoder
#   logits          (B, N / 4, 11)    the blank and ten words
# ```
#
# 49 voices are few. A model that has heard each word from 49 throats soon knows these throats. So each row of a batch **changes its voice** before it is heard: another pitch (the sound played faster or slower), another vocal tract (the frequency axis stretched: Jaitly and Hinton, 2013), another tempo, another microphone (a smooth curve over the bands); and some bands and frames are hidden (Park et al., 2019). All of that is drawn at random, so no row is heard twice.
#
# Where a step stands is told by a number added to the scores for each head and distance. The numbers begin as ALiBi's (chapter 05) and are trained; your layer gets them in its mask. (Where it takes no mask of numbers, sines are added to the steps.)
#
# What is to be beaten? With no network at all: cut each word out, told where it begins and ends; stretch it to 20 frames; and give the name of the most similar word of the 490 in training.

# %% id="nearest-word-run"
for split in ("validation", "test"):
    for name, reached in sounds.plain_baselines(split).items():
        print(f"{split:10}  {name}: {reached['errors']:.1%} wrong")

# %% [markdown] id="nearest-word-note"
# That is a strong baseline, and it has an unfair advantage: it is told where the words are. (Its errors are of single words; the network's word error rate, below, also counts words missing and too many.)

# %% id="speech-training-parts"
speech_training = sounds.spoken_digits(
    layer=use("stacking.EncoderLayer"),
    frame=frame,
    ctc_collapse=ctc_collapse,
    word_error_rate=word_error_rate,
)
for part, whose in speech_training.parts.items():
    print(f"{part}: {whose}")
fresh = speech_training.build(speech_training.settings)
print(f"{sum(p.numel() for p in fresh.parameters()):,} parameters")

# %% id="speech-training-predict"
predict("speech.first")

# %% id="speech-training-theatre"
speech_theatre = labs.TrainingTheatre(speech_training)
speech_theatre

# %% [markdown] id="speech-training-theatre-note"
# Press **Start** (or run the next cell). Five utterances of voices that are never trained on are read again as the training goes on.

# %% id="speech-training-result"
heard = speech_theatre.result()  # waits for the end
listener = heard.model.eval()
print(f"{heard.settings.steps:,} updates in {heard.seconds:.0f} s")
print(f"unheard voices, 1 to 5 words: {heard.test['errors']:.1%} word errors")
print(f"ten words, twice as many as ever heard: {heard.test['ten']:.1%}")
print(f"a Scottish accent: {heard.test['accent']:.1%}")

# %% id="speech-first-run"
asked_early = [each.signal for each in sounds.asked("validation")["errors"][:40]]
early = hearing.blank_only(speech_theatre.moments, asked_early)
for step, share in early.items():
    print(f"after update {step:3}: nothing but blanks for {share:4.0%} of 40 utterances")
if not early:
    print("This result was kept from an earlier run. Press Start to see its first updates again.")

# %% id="speech-training-explain"
explain("speech.first")

# %% [markdown] id="speech-training-recorded-text"
# *What to see:* early in the training nothing but blanks is written, whatever is said, while the loss falls. Then the words come. The blank is the quickest thing to learn: it fits most steps of every text.
#
# The notebook trains with one seed. Recorded, beside what is lost with one part taken out:

# %% id="speech-training-recorded"
speech_recorded = recording("vision_and_speech.spoken")  # made by benchmarks/applications.py
print(f"Recorded, not trained here: {speech_recorded.machine}")
print(speech_recorded.text("test", sounds.recorded_rows(), errors="word errors {:.1%}"))

# %% [markdown] id="speech-mistakes-text"
# *What to see:* a model that has heard the 49 voices as they are gets 18 words of a hundred wrong when others speak (one seed). With changed voices it is at most one in a hundred, with each of three seeds, where the nearest word had eight, told where to look. In the last row convolutions over neighbouring steps stand in the place of attention: one seed, with about as many errors as attention on the test's voices, more of them on the validation set's (nine words of a hundred, where attention has five or six), and far fewer than without changed voices. A Scottish accent, which no voice of training has, costs more (its errors are printed above): our changes of voice leave each vowel the vowel that it is.
#
# One warning about all of these numbers: the voices are synthetic, and all of one engine. People differ in more ways than these voices, so expect more errors on them; we have not measured it. And eight or fourteen voices are few: the validation set's are harder for this model than the test's, with five or six errors in a hundred words, and there the nearest word, told where to look, has fewer (four).
#
# Whom does it fail? Word errors by voice, in the validation set, and one utterance that is read right and one that isn't:

# %% id="speech-mistakes-run"
utterances = sounds.asked("validation")["errors"]
spoken_words = [[spoken.card.classes[digit] for digit in each.digits] for each in utterances]
written_words = sounds.read(listener, [each.signal for each in utterances], ctc_collapse)
voices = [each.voice for each in utterances]
by_voice = hearing.errors_by_voice(written_words, spoken_words, voices, word_error_rate)
print({voice: f"{rate:.1%}" for voice, rate in by_voice.items()})
right_at, wrong_at = hearing.right_and_wrong(written_words, spoken_words, utterances)
for at in (right_at, wrong_at):
    print(f"{voices[at]}: spoken {spoken_words[at]}, written {written_words[at]}")

# %% id="speech-right-player"
Audio(utterances[right_at].signal.numpy(), rate=spoken.rate)

# %% id="speech-wrong-player"
Audio(utterances[wrong_at].signal.numpy(), rate=spoken.rate)

# %% [markdown] id="people-text"
# ### People, if you like
#
# How does it hear people? Five of them have said each digit fifty times for the [Free Spoken Digit Dataset](https://github.com/Jakobovski/free-spoken-digit-dataset) (CC BY-SA 4.0). Nothing is fetched unless you say so. With `fetch = True` the cell downloads the release 1.0.9, 12 MB, once, and joins digits to utterances, as above. Your listener is asked twice: as it is, when it knows none of the five, and after 200 more updates on three of them. These three it is then asked about by takes that it has not learned from; the other two it still doesn't know.

# %% id="people-run"
from course.content.vision_and_speech import humans

fetch = False  # True: download 12 MB, once
print(humans.hear(listener, ctc_collapse, word_error_rate, download=fetch))

# %% [markdown] id="people-note"
# *If you have fetched them:* these numbers, too, are yours alone; we have not seen them. Read the first column as the answer to what the voices of a synthesiser teach about people. In the second, keep *known* and *unknown* apart: whoever reports the first as if it were the second makes the mistake that chapter 06 measured. And two unknown speakers are two: by the data set's own list all five are men, so nothing here says how it hears anybody else. "speech-commands" has digits by thousands of people, in a download of 2.4 GB; `datasets.available()` says more.

# %% [markdown] id="alignment-section"
# ## 9 Where in the sound is the word?
#
# The model was never told when a word is said. Does it know? Here is what each step of the encoder writes for *three three seven*.

# %% id="peaks-predict"
predict("speech.peaks")

# %% id="peaks-run"
steps_p = hearing.probabilities(listener, said.signal)  # (N', 11)
seconds = [round(hearing.STEP * step, 2) for step in range(len(steps_p))]
curves = {"blank": steps_p[:, 0], "three": steps_p[:, 4], "seven": steps_p[:, 8]}
print(" ".join(sounds.symbol(id) for id in steps_p.argmax(dim=-1).tolist()))
figures.lines(
    seconds, curves, x_title="seconds", y_title="probability", title="What each step writes"
)

# %% id="peaks-over-run"
hearing.draw_over(
    listener.front_end,
    said,
    hearing.peaks(steps_p),
    title="Where each word is heard (orange), and where it is (dotted)",
)

# %% id="peaks-measured"
in_word, blank_share = hearing.places(listener)
inside = ((in_word > 0) & (in_word < 1)).float().mean()
print(f"{blank_share:.0%} of the steps are blank")
print(f"{inside:.0%} of the peaks are inside of their word")
print(f"median place in the word: {in_word.median():.2f} (0: its beginning, 1: its end)")

# %% id="peaks-explain"
explain("speech.peaks")

# %% [markdown] id="peaks-note"
# *What to see:* peaks over a floor of blanks. The loss doesn't ask for more: one step for a word is enough, and the blank is safe everywhere else. So a CTC model knows *that* a word was said and roughly when, and not where it begins or ends. Don't take its peaks for the borders of words.
#
# And how far does a head look? The mean distance between a step and what it attends to, weighted by the attention, over 20 utterances:

# %% id="reach-run"
some_signals = [each.signal for each in utterances[:20]]
apart = hearing.looked_away(listener, some_signals)  # (layers, H), seconds
seconds_each = sum(map(len, some_signals)) / len(some_signals) / spoken.rate
print(f"a head that looks everywhere alike: {1000 * seconds_each / 3:.0f} ms")
figures.by_head(1000 * apart, title="How far each head looks, in ms", decimals=0)

# %% [markdown] id="reach-note"
# *What to see:* compare each head with the number printed above. Two places drawn at random from a stretch of time are a third of it apart on average, so a head near that number spreads its weight over the whole utterance, and a head far below it looks near its own step. In our run they went from 0.11 to 0.58 s, in both layers from the first head to the last, and 0.58 s would be everywhere alike. Which head looks how far is no discovery of the training: ALiBi's numbers, from which it starts, hold the first head nearest and the last one least.

# %% id="alignment-quiz"
quiz("speech.peaks-are-not-borders")

# %% [markdown] id="speech-lab-text"
# The speech lab has all of it on one page. Play a recording, and walk through its steps with the arrow keys: what is heard there, and where a head looks. Speed it up, put noise over it, silence a word, or join two. Or speak yourself, digits in English: what the microphone hears stays in this kernel's memory, is sent nowhere else and kept nowhere. (The model has heard machines only. Be patient with it.)

# %% id="speech-lab"
clips = [
    (f"{each.voice}: {' '.join(words)}", each.signal, words)
    for each, words in zip(utterances[:12], spoken_words)
]
labs.SpeechLab(listener, clips, ["blank", *spoken.card.classes])

# %% [markdown] id="whisper-section"
# ## 10 A real speech encoder
#
# > **In the article** (1.2): "编码器负责将输入数据（例如文本、图像、语音）转换为隐藏表示，解码器则利用该隐藏表示生成输出数据。" (*The encoder is responsible for converting the input data, for example text, images or speech, into a hidden representation; the decoder uses this hidden representation to generate the output data.*)
# >
# > Whisper (Radford et al., 2022) is this sentence, trained on 680,000 hours of speech that had a transcript on the web (tiny.en, the model below, on those in English). Its parts are known to you. The encoder reads log-mel frames through two convolutions, as the digit reader of section 8 does. In the place of CTC there is the decoder of chapter 07, which writes pieces of words and looks at the memory.
#
# | | the reader of digits | Whisper tiny.en |
# |---|---|---|
# | reads at once | as long as the recording is | always 30 s, filled up with silence |
# | a vector every | 40 ms | 20 ms, so 1,500 of them |
# | encoder | 2 layers, $D = 64$, $H = 4$ | 4 layers, $D = 384$, $H = 6$ |
# | writes | a word or a blank at every step | a piece of a word at every step of the decoder |
# | needs a decoder | no | yes: 4 layers |
#
# The weights are in a package of their own, 71 MB, which nothing installs unless you ask. **Without it every cell below runs too, and shows a recording.**

# %% id="whisper-begin"
from course.content.vision_and_speech import whisper

multi_head, word_error_rate = use("attention.multi_head"), use("speech.word_error_rate")
print(whisper.status())

# %% [markdown] id="whisper-transcripts-text"
# Five sentences of Jane Austen's *Sense and Sensibility*, read by a volunteer of LibriVox. No voice of section 8 was human; this one is.

# %% id="whisper-transcripts"
sentences = whisper.transcripts()
for each in sentences:
    print(f"spoken:  {each.spoken}\nwritten: {each.written}\n")

read_aloud = [whisper.plain_words(each.spoken) for each in sentences]
written_down = [whisper.plain_words(each.written) for each in sentences]
print(f"word error rate, by your function: {word_error_rate(written_down, read_aloud):.3f}")

# %% [markdown] id="whisper-transcripts-note"
# *What to see:* four errors. One is spelling (*mister*, *Mr.*). One is the reader's, who says *a more a amiable woman*; Whisper writes what was meant. Two are misheard: *ill disposed*. A word error rate counts them alike, which is why Radford et al. (section 3.2) bring both texts to one spelling before they count.

# %% [markdown] id="whisper-own-text"
# ### Your attention in its encoder
#
# Whisper's four layers hold their projections as chapter 02 stacked them: `in_proj_weight` $(3D, D)$ is your `w_in`. Its keys have no bias; in the stacked `b_in` $(3D,)$ the middle third is zeros. So your `multi_head` can take the place of what is there.

# %% id="whisper-own" tags=["teaching"]
class OwnAttention(torch.nn.Module):
    def __init__(self, held):
        super().__init__()
        self.held = held  # holds the weights; what computes is yours

    def forward(self, query, key, value, **options):
        held = self.held
        w_out, b_out = held.out_proj.weight, held.out_proj.bias
        output = multi_head(
            query, held.in_proj_weight, held.in_proj_bias, w_out, b_out, held.num_heads
        )
        return output, None  # no weights are asked for

# %% id="whisper-own-run"
compared = whisper.compare_attention(OwnAttention)
print("1,500 vectors of 384 numbers, computed twice")
print(f"largest difference {compared.gap:.0e}, largest number {compared.size:.1f}")
print("with its own attention: ", compared.before or "(no weights here: the numbers above are all)")
print("with your multi_head:   ", compared.after or "(no weights here)")

# %% [markdown] id="whisper-own-note"
# *What to see:* the difference is rounding in single precision, and the transcript is the same. (Without the package the encoder has random weights: its numbers agree, and it writes nothing.)

# %% [markdown] id="whisper-heads-text"
# ### What its encoder looks at
#
# Two guesses about the 24 heads, each with a number. A head looks at its **neighbourhood** if most of its weight is within 0.1 s. A head looks for the **same sound elsewhere** if what it looks at beyond 0.2 s has a spectrum like that of its own place: we weight the cosine similarity of the spectra with the attention. What chance gives is the mean similarity over all such pairs.

# %% id="whisper-heads-run"
found = whisper.find_self_heads()
print(f"likeness by chance: {found.chance:.2f}")
figures.by_head(found.near, title="the share of a head's weight within 0.1 s", top=1)

# %% id="whisper-alike-run"
figures.by_head(found.alike.clamp(min=0), title="likeness of what it looks at beyond 0.2 s")

# %% id="whisper-maps-run"
for number, head, weights in whisper.map_heads([(1, 2), (1, 5)]):
    title = f"layer {number}, head {head}: “he was not an ill disposed young man”"
    top = weights.quantile(0.99).item()
    display(
        figures.heatmap(
            weights, title=title, top=top, row_title="query, 40 ms each", column_title="key"
        )
    )

# %% [markdown] id="whisper-heads-note"
# *What to see:* both kinds are there, in one layer side by side. Head 2 of layer 1 keeps 97 % of its weight within 0.1 s: its picture is a diagonal. Head 5 keeps 11 %; the rest goes to places of a similar spectrum (0.43, where chance gives −0.02), and its picture has blocks off the diagonal: stretches that look at other stretches. What this is good for, the number does not say.

# %% [markdown] id="whisper-reading-text"
# ### When was the word spoken?
#
# While the decoder writes a token, each of its 24 heads of [cross-attention](glossary.md#cross-attention) looks somewhere in the 1,500 vectors of the memory. Nobody told it when which word was spoken: where transcripts had times, these were of whole captions (Radford et al., section 2.3). A head that finds it all the same must move forward in time as the sentence does. So correlate the number of a token with the place of the head's largest weight:

# %% id="whisper-orders-run"
orders = whisper.find_orders()
figures.by_head(orders.clamp(min=0), title="does it move forward with the text?", top=1)

# %% id="whisper-looks-run"
BEFORE, NOW = (0, 4), (2, 1)  # layer and head
for head in (BEFORE, NOW):
    found = whisper.look_up(head)
    count = found.weights.shape[1] // 5
    tenths = found.weights[:, : 5 * count].unflatten(1, (count, 5)).sum(-1)  # (T, count)
    title = f"cross-attention, layer {head[0]}, head {head[1]}"
    display(
        figures.heatmap(
            tenths, found.pieces, title=title, column_title="time, in tenths of a second"
        )
    )
for word, begin, end in whisper.word_times(found)[:8]:
    print(f"{word:10} {begin:.2f} to {end:.2f} s")

# %% [markdown] id="whisper-looks-note"
# *What to see:* two staircases, and the correlation is 0.99 for both heads. Are both right about *when*? Their steps lie 0.2 s apart (the median). A correlation knows the order and nothing else. To know the time takes an experiment: **replace the stretch by silence, and listen again.** If a head was right about a word, this word is gone and the others stay.

# %% id="whisper-silence-predict"
predict("speech.silenced-word")

# %% id="whisper-silence-run"
print(f"{'':12} {sentences[3].written}")
for word in ("amiable", "still", "respectable", "than"):
    silenced = whisper.silence(word, NOW)
    print(f"{word:12} {silenced.after}")

# %% id="whisper-silence-explain"
explain("speech.silenced-word")

# %% [markdown] id="whisper-silence-all-text"
# Now all 67 words that it wrote for the five sentences, each by itself, with both heads. Which word is gone: the one that the head points at, the word before, or the word after? (This took minutes, so the cell always reads the recording.)

# %% id="whisper-silence-all"
for name, head in {"layer 0, head 4": BEFORE, "layer 2, head 1": NOW}.items():
    trials = whisper.silence_all(head)
    print(name)
    places = ("the word before", "the word itself", "the word after")
    for offset, place in enumerate(places, start=-1):
        gone, count = whisper.count_gone(trials, offset)
        print(f"    {place} is gone: {gone} of {count}")

# %% [markdown] id="whisper-silence-note"
# *What to see:* the head of layer 2 points at the word that is **about to be written**: silence there takes it away 53 times of 67. The head of layer 0 points at the word **before**, the one that was written last: 49 of 62. That is as it must be. A query of layer 0 is made of what is written so far; no layer has looked at the sound for it yet. Layers 1 and 2 know what layer 0 has found, and can look one word ahead. The two staircases are one step apart.
#
# Words that stay, such as *than*, are short, or follow from the rest: the decoder is a language model too (chapter 07). And silence is a coarse instrument. It takes the edges of the neighbours with it: where the head of layer 2 looks, the word after is gone 9 times of 62.

# %% id="whisper-quiz"
quiz("speech.two-staircases")

# %% [markdown] id="recap"
# ## Recap
#
# - An image becomes a sentence by cutting: patches times a matrix, plus a position each. The encoder stays as it is.
# - The grid is not given. Positions learn it, in outline, from which digits are misread.
# - With a thousand images a CNN wins: what it takes for granted is true. Where it isn't (pixels mixed), the CNN falls back behind an SVM. And a split by writers turns the order of SVM and Transformer round.
# - Cover a patch to learn what an answer hangs on. An attention map doesn't tell it.
# - A sound becomes a sentence by framing: 25 ms each, their energies in mel bands, their logarithm.
# - CTC needs no alignment. It adds up the probabilities of all paths that collapse to the text; repeats merge, then blanks go, so two equal words in a row need a blank between them.
# - What an encoder hears is a matter of the voices that it has heard. Changing them, in pitch, tempo and more, took the errors from 18 words of a hundred to less than one.
# - Peaks say that a word was heard and roughly when; they are no borders.
# - Whisper is the article's pair on sound: an encoder that hears, a decoder that writes, and cross-attention in which one head points at the word that is written next.

# %% [markdown] id="glossary"
# ### The chapter's terms
#
# <!-- glossary -->

# %% [markdown] id="papers"
# ### The papers
#
# - Dosovitskiy et al.: *An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale*. ICLR 2021. [arXiv:2010.11929](https://arxiv.org/abs/2010.11929).
# - Krizhevsky: *Learning Multiple Layers of Features from Tiny Images*. Technical report, University of Toronto, 2009. CIFAR-10.
# - Lee, Lee, Song: *Vision Transformer for Small-Size Datasets*. 2021. [arXiv:2112.13492](https://arxiv.org/abs/2112.13492). The look over the border.
# - Krizhevsky, Sutskever, Hinton: *ImageNet Classification with Deep Convolutional Neural Networks*. NIPS 2012. The mean over ten views.
# - Simard, Steinkraus, Platt: *Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis*. ICDAR 2003. Distorted digits.
# - Graves, Fernández, Gomez, Schmidhuber: *Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks*. ICML 2006. [doi:10.1145/1143844.1143891](https://doi.org/10.1145/1143844.1143891).
# - Davis, Mermelstein: *Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken Sentences*. IEEE Transactions on Acoustics, Speech, and Signal Processing 28(4), 1980. [doi:10.1109/TASSP.1980.1163420](https://doi.org/10.1109/TASSP.1980.1163420). Mel bands.
# - O'Shaughnessy: *Speech Communication: Human and Machine*. Addison-Wesley, 1987. Page 150: the formula of the mel scale.
# - Atal: *Effectiveness of Linear Prediction Characteristics of the Speech Wave for Automatic Speaker Identification and Verification*. Journal of the Acoustical Society of America 55(6), 1974. [doi:10.1121/1.1914702](https://doi.org/10.1121/1.1914702). The mean over time taken out.
# - Jaitly, Hinton: *Vocal Tract Length Perturbation (VTLP) Improves Speech Recognition*. ICML Workshop on Deep Learning for Audio, Speech and Language Processing, 2013.
# - Park, Chan, Zhang, Chiu, Zoph, Cubuk, Le: *SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition*. Interspeech 2019. [arXiv:1904.08779](https://arxiv.org/abs/1904.08779). Hidden bands and frames.
# - Radford et al.: *Robust Speech Recognition via Large-Scale Weak Supervision*. 2022. [arXiv:2212.04356](https://arxiv.org/abs/2212.04356). Whisper: section 2.2 with table 1 on the model, 2.3 on times, 3.2 on the word error rate.
