import torch

from monai_gan_aug.data.image_sets import ImageSet
from monai_gan_aug.quality.label_classifier import kept_label_classifier, trained_label_classifier


def images(offset=0.0):
    draw = torch.Generator().manual_seed(3)
    labels = torch.arange(12) % 2
    pixels = torch.rand((12, 1, 16, 16), generator=draw) - labels[:, None, None, None] + offset
    names = tuple(map(str, range(12)))
    return ImageSet(pixels.clamp(-1, 1), labels, names, names)


def test_a_kept_classifier_is_the_one_that_was_trained(tmp_path):
    trained = trained_label_classifier(images(), 2, steps=4)
    first = kept_label_classifier(images(), 2, 4, tmp_path)
    again = kept_label_classifier(images(), 2, 4, tmp_path)
    seen = images().images
    assert torch.equal(first(seen), trained(seen))
    assert torch.equal(again(seen), trained(seen))
    assert not again.training
    assert len(list(tmp_path.rglob("*.pt"))) == 1


def test_other_images_labels_or_steps_mean_another_classifier(tmp_path):
    one = images()
    kept_label_classifier(one, 2, 2, tmp_path)
    kept_label_classifier(images(0.1), 2, 2, tmp_path)
    kept_label_classifier(ImageSet(one.images, 1 - one.labels, one.groups, one.ids), 2, 2, tmp_path)
    kept_label_classifier(one, 2, 3, tmp_path)
    assert len(list(tmp_path.rglob("*.pt"))) == 4
