"""What sizes of images make a case special, in the words of the report."""

OF_IMAGES = {
    "a single image": "B = 1",
    "a single channel": "C = 1",
    "square images": "height = width",
    "patches of one pixel": "patch = 1",
    "an image that is one patch": "N = 1",
    "a single row of patches": "rows = 1; columns > 1",
    "a single column of patches": "columns = 1; rows > 1",
    "as many channels as pixels along a patch": "C = patch",
    "as many channels as patches": "C = N",
}
