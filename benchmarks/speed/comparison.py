"""One task, its contenders, and what is worth writing down about them."""

from benchmarks.speed.clock import THREADS, compete


def compare(task, contenders, effort):
    """Rows of times and of the losses of what was chosen."""
    print(task.title, flush=True)
    present = [contender for contender in contenders if contender.run is not None]
    times = compete(present, effort)
    for contender in contenders:
        common = {
            "task": task.title,
            "loss_name": task.model.loss,
            "variant": contender.variant,
            "note": contender.note,
        }
        if contender not in present:
            yield common | {"contender": contender.name}
            continue
        common |= _losses(task, contender, times)
        for threads in THREADS:
            for name, (seconds, runs) in times[contender, threads].medians().items():
                measured = {"contender": name, "threads": threads, "seconds": seconds, "runs": runs}
                yield common | measured


def _losses(task, contender, times):
    """Of what was chosen with the first number of threads: how many there are does not matter."""
    if contender.chosen is None:
        return {}
    value = contender.chosen(times[contender, THREADS[0]].found)
    new = {} if task.new is None else {"new_loss": task.new_loss(value)}
    return {"loss": task.loss(value)} | new
