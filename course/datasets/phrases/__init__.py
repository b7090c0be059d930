"""Dates, times, amounts and lists in English and another language, as the Unicode locale data write them."""
