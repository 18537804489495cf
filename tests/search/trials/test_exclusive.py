from __future__ import annotations

import threading
import time

from steps.search.trials.exclusive import ExclusiveSection


def test_nobody_trains_while_one_measures_and_all_get_their_turn() -> None:
    quiet = ExclusiveSection()
    training = measuring = 0
    most_training = 0
    wrong: list[tuple[int, int]] = []
    lock = threading.Lock()

    def note(trained: int, measured: int) -> None:
        nonlocal training, measuring, most_training
        with lock:
            training += trained
            measuring += measured
            most_training = max(most_training, training)
            if measuring > 1 or (measuring and training):
                wrong.append((training, measuring))

    def work() -> None:
        for _ in range(20):
            with quiet.training():
                note(1, 0)
                time.sleep(0.001)
                note(-1, 0)
            with quiet.measuring():
                note(0, 1)
                note(0, -1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert most_training > 1


def test_an_error_inside_lets_the_others_go_on() -> None:
    quiet = ExclusiveSection()
    for context in (quiet.training, quiet.measuring):
        try:
            with context():
                raise MemoryError
        except MemoryError:
            pass
    with quiet.measuring():
        pass
    with quiet.training():
        pass
