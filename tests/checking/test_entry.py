"""What check() and use() do around an answer: where it runs, what is saved, what a lost kernel leaves."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
import torch

from course import learner
from course.checking import answers, check, use, verdict, wire
from course.checking.explain import diagnosis, errors
from course.content import exercises
from course.learner.capture import revive
from course.sandbox import guards, isolated, marker
from tests.checking import hostile
from tests.checking.hostile import BORROWS, CHANGES, ENDS, HANGS, RESULTS
from tests.sampled import sampled, thinned

SOFTMAX = "attention.softmax"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    monkeypatch.setattr(guards, "SECONDS", 0.5)
    monkeypatch.setattr(isolated, "GRACE", 0.2)
    answers.forget()
    yield
    answers.forget()


@pytest.fixture
def in_process(monkeypatch):
    monkeypatch.setenv(isolated.IN_PROCESS, "1")
    # The alarm may ring in a destructor, which Python reports and pytest makes a failure of.
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)


@pytest.fixture
def forks():
    if not isolated.possible():
        pytest.skip("answers run in this process here")


def made(source):
    return hostile.made(source)["softmax"]


def softmax(x, dim):
    return torch.softmax(x, dim).nan_to_num(0.0)


def test_an_answer_runs_in_another_process(forks):
    seen = []

    def noting(x, dim):
        seen.append(os.getpid())
        return softmax(x, dim)

    assert check(SOFTMAX, noting).passed
    assert seen == []


@pytest.mark.usefixtures("in_process")
def test_an_answer_runs_in_this_process_when_it_is_asked_for():
    seen = set()

    def noting(x, dim):
        seen.add(os.getpid())
        return softmax(x, dim)

    assert check(SOFTMAX, noting).passed
    assert seen == {os.getpid()}


def test_off_the_main_thread_it_runs_in_this_process():
    reports = []
    worker = threading.Thread(target=lambda: reports.append(check(SOFTMAX, softmax)))
    worker.start()
    worker.join()
    assert reports[0].passed


_TOO_STRANGE = {
    "an endless loop in C",
    *("one long call", "an iteration without end", "a power of integers", "a list without end"),
    *("swallows everything while it sleeps", "swallows everything while it computes"),
    *("hangs in a finally", "turns the alarm off", "ignores the alarm", "blocks all signals"),
    *("stops itself", "starts processes without end", "a thread that computes for ever"),
    *("threads that stay", "processes that stay", "waits for a thread", "forks once"),
    *("a result that is compared for ever", "an event loop without end", "waits for a lock"),
    *("abort", "a wrong address", "kill -9", "terminates itself", "a user's signal"),
    *("kills its process group", "interrupts itself", "replaces the program"),
    *("recursion without a limit", "a limit on memory", "recursion in C"),
    *("closes 0 to 2", "closes every file", "exit functions", "no modules", "takes torch away"),
    *(
        "replaces isinstance",
        "writes to the terminal",
        "asks for input",
    ),
}  # what no exception stops, or what no process survives


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    "name",
    sampled(
        thinned((n for n in {**HANGS, **ENDS, **CHANGES, **RESULTS} if n not in _TOO_STRANGE), 3), 6
    ),
)
def test_what_an_exception_stops_is_told_in_this_process_too(name):
    source, words = {**HANGS, **ENDS, **CHANGES, **RESULTS}[name]
    assert words in check(SOFTMAX, made(source)).message


@pytest.mark.usefixtures("in_process")
def test_memory_is_free_again_once_an_answer_was_stopped():
    import weakref

    held = []

    class Block(list):
        pass

    def fills(x, dim):
        block = Block(range(1000))
        block.append(block)
        held.append(weakref.ref(block))
        while True:
            pass

    assert not check(SOFTMAX, fills).passed
    assert held
    assert all(ref() is None for ref in held)


def test_interrupting_kills_the_child_and_is_passed_on(forks, monkeypatch):
    monkeypatch.setattr(guards, "SECONDS", 100.0)
    killed = []
    before = isolated._killed
    monkeypatch.setattr(isolated, "_killed", lambda pid: killed.append(pid) or before(pid))
    timer = threading.Timer(1.0, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        check(SOFTMAX, lambda x, dim: sum(range(10**12)))
    timer.join()
    assert len(killed) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(killed[0], 0)


def test_a_report_survives_the_way_out_of_the_child():
    exercise = exercises.get("attention.scores")
    for wrong in (exercise.mistaken("not-scaled"), lambda q, k: (q @ k.mT) + 0j, lambda q, k: k):
        report = verdict.in_process(exercise, wrong)
        again = wire.unpacked(json.loads(json.dumps(wire.packed(report))))
        assert (again.message, again.mistakes) == (report.message, report.mistakes)
        assert again._repr_html_() == report._repr_html_()


def test_a_child_and_this_process_say_the_same(monkeypatch):
    exercise = exercises.get("attention.multi_head")
    for mistake in exercise.mistakes[:2]:
        wrong = exercise.mistaken(mistake)
        messages = set()
        for way in "01":
            monkeypatch.setenv(isolated.IN_PROCESS, way)
            messages.add(check(exercise.id, wrong).message)
        assert len(messages) == 1


def test_what_only_ends_in_the_search_is_told_by_its_trials(forks):
    """The trials come to an end; a call with other inputs, made to find the reason, ends Python."""
    calls = len(diagnosis.references(SOFTMAX))
    count = []

    def later(x, dim):
        count.append(1)
        if len(count) > calls + 1:  # one trial calls it twice
            os._exit(5)
        return x.exp() * 0.3

    message = check(SOFTMAX, later).message
    assert "wrong in" in message
    assert "exit status" not in message


@pytest.mark.parametrize("name", BORROWS)
@pytest.mark.parametrize("way", ["0", "1"], ids=["in a child", "in this process"])
def test_what_calls_its_own_reference_does_not_pass(name, way, monkeypatch, capsys):
    monkeypatch.setenv(isolated.IN_PROCESS, way)
    source, words = BORROWS[name]
    report = check(SOFTMAX, made(source))
    assert report.status == "failed"
    assert words in report.message
    assert "hint(" in report.message
    assert learner.load_answer(SOFTMAX) is None


def test_use_of_another_exercise_is_no_fault(capsys):
    def scaled_dot_product(query, key, value, mask=None):
        scores = use("attention.scores")(query, key)
        if mask is not None:
            scores = scores.masked_fill(mask, -torch.inf)
        weights = use("attention.softmax")(scores, -1)
        return weights @ value, weights

    assert check("attention.scaled_dot_product", scaled_dot_product).passed


def test_the_model_solution_itself_still_passes():
    assert check(SOFTMAX, exercises.get(SOFTMAX).model()).passed


def test_an_earlier_answer_of_one_s_own_is_not_saved_as_use_of_itself(capsys):
    first = made("def softmax(x, dim):\n    return torch.softmax(x, dim).nan_to_num(0.0)\n")
    assert check(SOFTMAX, first).passed
    earlier = use(SOFTMAX)

    def softmax(x, dim):
        return earlier(x, dim)

    report = check(SOFTMAX, softmax)
    assert report.passed
    assert "could not be saved" in report.message
    assert "same exercise" in report.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "from course import use\ndef softmax(x, dim): return use('attention.softmax')(x, dim)\n",
            "",
        ),
        ("def softmax(x, dim): return softmax(x, dim)\n", ""),
        ("def softmax(x, dim):\n    while True: pass\n", ""),
        (
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass\n",
            "end",
        ),
        ("x = sum(range(10**12))\n", "come to an end"),
        ("import os\nos._exit(3)\n", "exit status 3"),
        ("import os\nos.abort()\n", "crashed"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("exit()\n", "SystemExit"),
    ],
)
def test_a_saved_answer_that_does_not_come_back_gives_way(text, said, forks, capsys):
    learner.save_answer(SOFTMAX, text)
    function = use(SOFTMAX)
    printed = capsys.readouterr().out
    assert "could not be used" in printed
    assert said in printed
    assert torch.equal(function(torch.zeros(2, 2), -1), torch.full((2, 2), 0.5))


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("text", ["while True: pass\n", "raise KeyboardInterrupt\n", "exit()\n"])
def test_a_saved_answer_is_limited_in_this_process_too(text, capsys):
    learner.save_answer(SOFTMAX, text)
    function = use(SOFTMAX)
    assert "could not be used" in capsys.readouterr().out
    assert torch.equal(function(torch.zeros(2, 2), -1), torch.full((2, 2), 0.5))


def test_a_folder_that_cannot_be_written_is_not_said_to_hold_the_answer(
    tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_HOME", str(tmp_path / "file" / "home"))
    source = "def softmax(x, dim):\n    return torch.softmax(x, dim).nan_to_num(0.0)\n"
    function = revive("import torch\n" + source, "softmax")
    report = check(SOFTMAX, function)
    assert report.passed
    assert "until this kernel ends" in report.message
    assert "could not be written" in report.message
    assert "here and in the later chapters" not in report.message


@pytest.mark.parametrize("error", [RecursionError("deep"), OSError("full"), ValueError("odd")])
def test_a_failure_to_record_takes_no_report_away(error, monkeypatch, capsys):
    def fails(*args):
        raise error

    monkeypatch.setattr(learner, "record_check", fails)
    assert check(SOFTMAX, softmax).passed
    assert "could not be noted" in capsys.readouterr().err
    monkeypatch.setattr(learner, "save_answer", fails)
    report = check(SOFTMAX, softmax)
    assert report.passed
    assert "could not be saved" in report.message


def test_the_note_of_a_lost_kernel_is_told_once(course_home, monkeypatch, capsys):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    course_home.mkdir()
    note = course_home / f"trying-{gone.pid}.json"
    note.write_text(json.dumps({"exercise": SOFTMAX, "doing": "check", "process": "1"}) + "\n")
    alive = course_home / f"trying-{os.getppid()}.json"
    began = marker._began(os.getppid())
    alive.write_text(json.dumps({"exercise": SOFTMAX, "doing": "check", "process": began}) + "\n")
    monkeypatch.setattr(marker, "_looked", set())
    check(SOFTMAX, softmax)
    assert "The last kernel ended while it tried your answer" in capsys.readouterr().out
    assert not note.exists()
    assert alive.exists()
    check(SOFTMAX, softmax)
    assert "The last kernel" not in capsys.readouterr().out
    assert [path.name for path in course_home.glob("trying-*")] == [alive.name]


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", "[" * 100000, '{"exercise": 3}'])
def test_a_damaged_note_stops_nothing(text, course_home, monkeypatch):
    course_home.mkdir()
    (course_home / "trying-999999999.json").write_text(text)
    monkeypatch.setattr(marker, "_looked", set())
    assert check(SOFTMAX, softmax).passed


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def softmax(x, dim):\n    if x > 0: return x\n    return right(x, dim)\n", ".any()"),
        (
            "def softmax(x, dim):\n    x[torch.isnan(x)] = 0\n    return right(x, dim)\n",
            "make a new",
        ),
        ("def softmax(x, dim):\n    x += 1\n    return right(x, dim)\n", ""),
        (
            "def softmax(x, dim):\n    return right(torch.from_numpy(x.numpy()), dim)\n",
            "numpy cannot follow",
        ),
        ("def softmax(x, dim):\n    exit()\n", "`return` the result"),
    ],
)
def test_raw_errors_are_put_into_words(source, words):
    report = check(SOFTMAX, made(source))
    assert report.status == "failed"
    assert words in report.message


def test_words_are_for_the_errors_they_speak_of():
    assert errors.in_words(RuntimeError("The size of tensor a (3)")) == ""
    assert errors.in_words(ValueError("numpy() on Tensor that requires grad")) == ""


def test_an_answer_may_use_threads_after_the_notebook_has() -> None:
    """A child of a process with OpenMP's threads would wait for them for ever."""

    def threaded(x: torch.Tensor, dim: int) -> torch.Tensor:
        torch.set_num_threads(4)
        torch.randn(400, 400) @ torch.randn(400, 400)
        torch.rand(1_000_000).exp().sum()
        return torch.nan_to_num(torch.softmax(x, dim))

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        (torch.randn(800, 800) @ torch.randn(800, 800)).exp().sum()
        report = check("attention.softmax", threaded)
    finally:
        torch.set_num_threads(before)
    assert "number of threads" in report.message
    assert "come to an end" not in report.message
