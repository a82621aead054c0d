import inspect

import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader
from monai.engines import GanTrainer
from monai.handlers import StatsHandler
from monai.networks.nets import Discriminator as MonaiDiscriminator
from monai.networks.nets import Generator as MonaiGenerator
from torch.nn import functional

from monai_gan_aug.engines.trainer import GanAugTrainer
from monai_gan_aug.keys import GanAugKeys, GanKeys
from monai_gan_aug.losses.adversarial import DiscriminatorLoss


def test_takes_every_argument_of_gan_trainer_in_the_same_order():
    theirs = list(inspect.signature(GanTrainer).parameters)
    ours = list(inspect.signature(GanAugTrainer).parameters)
    assert ours[: len(theirs)] == theirs


class Spy:
    """Records what passes through a network."""

    def __init__(self, network):
        self.inputs, self.graphs, self.labels = [], [], []
        network.register_forward_pre_hook(self._note)

    def _note(self, module, inputs):
        self.inputs.append(inputs[0].detach().clone())
        self.graphs.append(inputs[0].requires_grad)
        self.labels.append(inputs[1] if len(inputs) > 1 else None)


def test_every_critic_step_has_fresh_reals_and_latents(make_trainer):
    trainer = make_trainer(steps=1, d_train_steps=3, augment=None)
    generator, discriminator = Spy(trainer.g_network), Spy(trainer.d_network)
    trainer.run()
    latents = [tuple(z.flatten().tolist()) for z in generator.inputs]
    assert len(latents) == len(set(latents)) == 4
    both = discriminator.inputs[:3]
    reals = [tuple(x[:6].flatten().tolist()) for x in both]
    fakes = [tuple(x[6:].flatten().tolist()) for x in both]
    assert len(set(reals)) == len(set(fakes)) == 3
    assert discriminator.graphs == [False, False, False, True]


def test_labels_reach_both_networks(make_trainer):
    trainer = make_trainer(steps=1)
    generator, discriminator = Spy(trainer.g_network), Spy(trainer.d_network)
    trainer.run()
    labels = trainer.state.output[GanAugKeys.LABELS]
    assert all(torch.equal(seen, labels) for seen in generator.labels)
    assert torch.equal(discriminator.labels[0], labels.repeat(2))
    assert torch.equal(discriminator.labels[1], labels)


def test_latents_fit_a_partial_last_batch(make_trainer, tiny_images):
    whole = tiny_images.batch(range(20))
    items = [{key: value[i] for key, value in whole.items()} for i in range(20)]
    loader = DataLoader(items, batch_size=8)
    trainer = make_trainer(train_data_loader=loader, epoch_length=None)
    trainer.run()
    assert trainer.state.iteration == 3
    assert len(trainer.state.output[GanKeys.REALS]) == 4
    assert len(trainer.state.output[GanKeys.FAKES]) == 4


def test_statistics_move_once_per_iteration(make_trainer):
    trainer = make_trainer(steps=3, d_train_steps=2)
    trainer.run()
    assert trainer.g_network.blocks[0].adn.N.num_batches_tracked == 3


def test_networks_are_put_into_training_mode(make_trainer):
    trainer = make_trainer()
    trainer.g_network.eval()
    trainer.d_network.eval()
    trainer.run()
    assert trainer.g_network.training
    assert trainer.d_network.training


def test_losses_stay_tensors_without_graph(make_trainer):
    trainer = make_trainer()
    trainer.run()
    for key in (GanKeys.GLOSS, GanKeys.DLOSS):
        assert trainer.state.output[key].ndim == 0
        assert not trainer.state.output[key].requires_grad


def test_postprocessing_runs(make_trainer):
    seen = []
    trainer = make_trainer(steps=2, postprocessing=lambda data: seen.append(sorted(data)) or data)
    trainer.run()
    assert len(seen) == 2
    assert GanKeys.FAKES in seen[0]


def test_a_lazy_penalty_comes_in_its_turn(make_trainer):
    calls = []

    class Penalty:
        name, interval = "lazy", 2

        def __call__(self, view):
            calls.append(trainer.state.iteration)
            return view.real_logits.mean() * 0

    trainer = make_trainer(steps=5, d_regularizers=[Penalty()])
    trainer.run()
    assert calls == [1, 3, 5]
    assert trainer.state.output[GanAugKeys.penalty("lazy")] == 0


def test_the_same_latents_serve_both_on_request(make_trainer):
    trainer = make_trainer(steps=1, g_update_latents=False)
    generator = Spy(trainer.g_network)
    trainer.run()
    assert torch.equal(*generator.inputs)


def test_runs_with_the_losses_and_networks_of_monai(tiny_images):
    """The kind of configuration that the model zoo's mednist_gan has."""
    discriminator = torch.nn.Sequential(
        MonaiDiscriminator((1, 16, 16), (4, 8), (2, 2), num_res_units=0)
    )
    generator = MonaiGenerator((8,), (8, 4, 4), (8, 4, 1), (2, 2, 1), num_res_units=0)
    bce = torch.nn.BCELoss()

    def d_loss(fakes, reals):
        real, fake = discriminator(reals), discriminator(fakes.detach())
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))

    def g_loss(fakes):
        judged = discriminator(fakes)
        return bce(judged, torch.ones_like(judged))

    lines = []
    items = [{"reals": torch.rand(1, 16, 16)} for _ in range(8)]
    trainer = GanAugTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=DataLoader(items, batch_size=4),
        g_network=generator,
        g_optimizer=torch.optim.Adam(generator.parameters(), 1e-3),
        g_loss_function=g_loss,
        d_network=discriminator,
        d_optimizer=torch.optim.Adam(discriminator.parameters(), 1e-3),
        d_loss_function=d_loss,
        d_train_steps=2,
        latent_shape=8,
        train_handlers=[
            StatsHandler(
                name="test",
                output_transform=lambda out: {"loss": out[GanKeys.GLOSS]},
                iteration_print_logger=lambda engine: lines.append(engine.state.iteration),
            )
        ],
    )
    trainer.run()
    assert trainer.state.iteration == 1
    assert trainer.state.output[GanKeys.FAKES].shape == (4, 1, 16, 16)
    assert lines == [1]


def test_a_finished_run_is_left_alone(make_trainer):
    trainer = make_trainer(max_epochs=1)
    trainer.run()
    before = {k: v.clone() for k, v in trainer.g_network.state_dict().items()}
    trainer.run()
    assert all(torch.equal(before[k], v) for k, v in trainer.g_network.state_dict().items())


@pytest.mark.parametrize("name", ["max_epochs", "d_train_steps", "accumulation_steps"])
def test_rejects_counts_below_one(make_trainer, name):
    with pytest.raises(ValueError, match=f"`{name}`.*got 0"):
        make_trainer(**{name: 0})


def test_a_missing_gpu_is_an_error(make_trainer):
    with pytest.raises(ValueError, match="CUDA devices"):
        make_trainer(device=f"cuda:{torch.cuda.device_count()}")


def test_learns_to_tell_a_constant_from_noise(make_trainer):
    """With a generator that cannot learn, the discriminator must win."""
    trainer = make_trainer(max_epochs=1, steps=40, augment=None)
    trainer.generator.optimizer.param_groups[0]["lr"] = 0.0
    trainer.run()
    out = trainer.state.output
    assert out[GanKeys.DLOSS] < DiscriminatorLoss()(torch.zeros(2), torch.zeros(2)) * 0.8
    assert out[GanAugKeys.REAL_LOGITS].mean() > out[GanAugKeys.FAKE_LOGITS].mean() + 0.5


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_on_a_gpu(make_trainer, dtype):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    trainer = make_trainer(device="cpu")
    del trainer
    for_gpu = make_trainer(
        device="cuda",
        amp=True,
        amp_kwargs={"dtype": dtype},
    )
    for network in (for_gpu.g_network, for_gpu.d_network):
        network.cuda()
    for_gpu.parts["average"].network.cuda()
    for_gpu.run()
    assert torch.isfinite(for_gpu.state.output[GanKeys.GLOSS])


def test_sampling_leaves_no_trace(make_trainer):
    trainer = make_trainer()
    average = trainer.sampling_network
    average.train()
    statistics = {k: v.clone() for k, v in average.state_dict().items()}
    latents, labels = torch.randn(4, 8), torch.tensor([0, 1, 1, 0])
    images = trainer.sample(latents, labels)
    assert average.training
    assert not images.requires_grad
    assert all(torch.equal(statistics[k], v) for k, v in average.state_dict().items())
    assert torch.equal(images, average.eval()(latents, labels))


TARGET = "monai_gan_aug.engines.trainer.GanAugTrainer"


def only_images(batchdata, device=None, non_blocking=False):
    return batchdata["image"].to(device=device, non_blocking=non_blocking)


def towards(value, scores):
    return functional.binary_cross_entropy(scores, torch.full_like(scores, value))


def tell_apart(generated, real, network):
    return (towards(0.0, network(generated.detach())) + towards(1.0, network(real))) / 2


def fool(generated, network):
    return towards(1.0, network(generated))


def published(target):
    """The settings of the model zoo's ``mednist_gan`` (version 0.4), for either engine.

    Networks, losses, optimisers, latents and critic steps are those of the bundle; images are
    phantoms, batches and epochs are small.
    """
    adam = {"_target_": "torch.optim.Adam", "lr": 2.0e-4, "betas": [0.5, 0.999]}
    return {
        "device": "$torch.device('cpu')",
        "images": phantom_images(),
        "dnetwork": {
            "_target_": "monai.networks.nets.Discriminator",
            "in_shape": [1, 64, 64],
            "channels": [8, 16, 32, 64, 1],
            "strides": [2, 2, 2, 2, 1],
            "num_res_units": 1,
            "kernel_size": 5,
        },
        "gnetwork": {
            "_target_": "monai.networks.nets.Generator",
            "latent_shape": 64,
            "start_shape": [64, 8, 8],
            "channels": [32, 16, 8, 1],
            "strides": [2, 2, 2, 1],
        },
        "loader": {
            "_target_": "DataLoader",
            "dataset": {"_target_": "CacheDataset", "data": "@images", "progress": False},
            "batch_size": 6,
            "shuffle": True,
        },
        "trainer": {
            "_target_": target,
            "device": "@device",
            "max_epochs": 2,
            "train_data_loader": "@loader",
            "g_network": "@gnetwork",
            "g_optimizer": {**adam, "params": "$@gnetwork.parameters()"},
            "g_loss_function": {"_target_": f"{__name__}.fool", "_mode_": "callable"}
            | {"network": "@dnetwork"},
            "d_network": "@dnetwork",
            "d_optimizer": {**adam, "params": "$@dnetwork.parameters()"},
            "d_loss_function": {"_target_": f"{__name__}.tell_apart", "_mode_": "callable"}
            | {"network": "@dnetwork"},
            "d_prepare_batch": {"_target_": f"{__name__}.only_images", "_mode_": "callable"},
            "d_train_steps": 5,
            "g_update_latents": True,
            "latent_shape": 64,
            "key_train_metric": None,
        },
        "training": [
            "$@gnetwork.apply(monai.networks.normal_init)",
            "$@dnetwork.apply(monai.networks.normal_init)",
            "$@gnetwork.conv.add_module('activation', torch.nn.Sigmoid())",
            "$@trainer.run()",
        ],
    }


def phantom_images(count=30):
    """Bright discs of random place and size on noise, ``(1, 64, 64)`` in ``[0, 1]``."""
    draw = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    images = []
    for _ in range(count):
        y, x, radius = (torch.rand(3, generator=draw) * 20 + torch.tensor([22, 22, 6])).tolist()
        disc = ((rows - y) ** 2 + (columns - x) ** 2 < radius**2).float()
        noise = 0.1 * torch.rand(64, 64, generator=draw)
        images.append({"image": (0.8 * disc + noise)[None]})
    return images


@pytest.mark.parametrize("target", ["GanTrainer", TARGET])
def test_runs_with_either_engine_and_only_the_target_changed(target):
    torch.manual_seed(0)
    parser = ConfigParser(published(target))
    networks = [parser.get_parsed_content(name) for name in ("gnetwork", "dnetwork")]
    trainer = parser.get_parsed_content("trainer")
    before = [next(network.parameters()).detach().clone() for network in networks]
    parser.get_parsed_content("training")
    assert trainer.state.epoch == 2
    out = trainer.state.output
    assert out[GanKeys.FAKES].shape == (6, 1, 64, 64)
    assert out[GanKeys.FAKES].min() >= 0
    assert out[GanKeys.FAKES].max() <= 1
    for old, network in zip(before, networks, strict=True):
        assert not torch.equal(old, next(network.parameters()))


def test_ours_gives_every_critic_step_images_of_its_own():
    """Five batches to an iteration, where MONAI uses one batch five times."""
    theirs, ours = (
        ConfigParser(published(target)).get_parsed_content("trainer")
        for target in ("GanTrainer", TARGET)
    )
    assert theirs.state.epoch_length == 5
    assert ours.state.epoch_length == 1
