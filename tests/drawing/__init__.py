"""What tests draw: pictures, datalists and studies.

What needs MONAI is imported from its own module (:mod:`tests.drawing.patients`, ``placed_images``,
``training``): the tests of light chapters do not wait for it.
"""

from tests.drawing.datalists import (
    DrawnImages,
    draw_datalist,
    draw_halves,
    draw_image_set,
    training_record,
    write_synthetic_set,
)
from tests.drawing.pictures import draw_half, draw_noise, save_pixels
from tests.drawing.studies import (
    draw_full_study,
    draw_plan,
    draw_study,
    plain_study,
    put_study,
)

__all__ = [
    "DrawnImages",
    "draw_datalist",
    "draw_full_study",
    "draw_half",
    "draw_halves",
    "draw_image_set",
    "draw_noise",
    "draw_plan",
    "draw_study",
    "plain_study",
    "put_study",
    "save_pixels",
    "training_record",
    "write_synthetic_set",
]
