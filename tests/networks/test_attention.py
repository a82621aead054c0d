import pytest
import torch

from monai_gan_aug.networks.attention import SelfAttention


def test_begins_as_the_identity():
    maps = torch.randn(2, 16, 8, 8)
    assert torch.equal(SelfAttention(16)(maps), maps)


def test_is_a_weighted_sum_over_pooled_positions():
    """Position by position, with explicit loops."""
    torch.manual_seed(0)
    layer = SelfAttention(8).double()
    layer.weight.data.fill_(0.7)
    maps = torch.randn(1, 8, 4, 4, dtype=torch.double)
    pool = torch.nn.functional.max_pool2d
    query = layer.query(maps)[0]
    key, value = pool(layer.key(maps), 2)[0].flatten(1), pool(layer.value(maps), 2)[0].flatten(1)
    expected = maps.clone()
    for y in range(4):
        for x in range(4):
            scores = torch.stack([query[:, y, x] @ key[:, j] for j in range(4)]).exp()
            found = sum(scores[j] / scores.sum() * value[:, j] for j in range(4))
            expected[0, :, y, x] += 0.7 * layer.out.weight[:, :, 0, 0] @ found
    torch.testing.assert_close(layer(maps), expected)


def test_rejects_few_channels():
    with pytest.raises(ValueError, match="got 4"):
        SelfAttention(4)
