from .body import (
    BodyCrop as BodyCrop,
    BodyCropd as BodyCropd,
)
from .channels import (
    ToGrey as ToGrey,
    ToGreyd as ToGreyd,
    ToRGB as ToRGB,
    ToRGBd as ToRGBd,
)
from .hounsfield import (
    ClipHU as ClipHU,
    ClipHUd as ClipHUd,
    MultiWindow as MultiWindow,
    MultiWindowd as MultiWindowd,
)
from .intensity import (
    ScalePercentile as ScalePercentile,
    ScalePercentiled as ScalePercentiled,
    WindowIntensity as WindowIntensity,
    WindowIntensityd as WindowIntensityd,
)
from .loading import (
    LoadMedicalImage as LoadMedicalImage,
    LoadMedicalImaged as LoadMedicalImaged,
)
from .recipe import (
    PreprocessingRecipe as PreprocessingRecipe,
)
from .shape import (
    CenterSquareCrop as CenterSquareCrop,
    CenterSquareCropd as CenterSquareCropd,
    Letterbox as Letterbox,
    Letterboxd as Letterboxd,
    ResizeArea as ResizeArea,
    ResizeAread as ResizeAread,
)
