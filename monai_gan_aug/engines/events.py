"""What can happen during adversarial training besides Ignite's own events."""

from ignite.engine.events import EventEnum

__all__ = ["GanAugEvents"]


class GanAugEvents(EventEnum):
    """Events of :class:`~monai_gan_aug.engines.trainer.GanAugTrainer`, in the order they occur."""

    RUN_REQUESTED = "run_requested"
    """Before Ignite decides where to begin: lock the folder, resume here."""
    CRITIC_STEP_COMPLETED = "critic_step_completed"
    """After each discriminator update of an iteration."""
    RECORDED = "recorded"
    """``engine.state.record`` holds new means of the losses, on the host."""
    MEASURED = "measured"
    """A guard or a probe has put new numbers into ``engine.state.metrics``."""
    GRID_DRAWN = "grid_drawn"
    """``engine.state.grid`` holds a new picture of fixed latents."""
    ONE_SIDED = "one_sided"
    """The discriminator tells real from generated without effort."""
    COLLAPSED = "collapsed"
    """Fixed latents give nearly the same image."""
    GRADIENT_EXPLODED = "gradient_exploded"
    """A gradient is far longer than usual."""
    NOT_FINITE = "not_finite"
    """A loss is NaN or infinite."""
    ROLLBACK_REQUESTED = "rollback_requested"
    """Training stands still for a guard: take up the last good checkpoint now."""
    ROLLED_BACK = "rolled_back"
    """Training goes on from the last good checkpoint."""
    RUN_CLOSED = "run_closed"
    """After the run, however it ended."""
