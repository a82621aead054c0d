import pytest
import torch

from monai_gan_aug.engines.devices import require_device


def test_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="--device cpu"):
        require_device(f"cuda:{torch.cuda.device_count()}")
