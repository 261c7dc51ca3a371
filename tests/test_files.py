"""Results are written whole and read back to the last bit; a failed step says what to mend."""

import csv
import os
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tandem.errors import TandemError
from tandem.files import (
    back_from_the_future,
    forget,
    lock,
    progress,
    read,
    save,
    settle,
    step,
    whole_folder,
    why,
    write_text,
    write_whole,
)


def test_floats_come_back_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(np.random.SeedSequence(1))
    x = rng.normal(size=2000) * 10.0 ** rng.integers(-300, 300, 2000)
    frame = pd.DataFrame({"x": [*x, 0.1 + 0.2, 1 / 3, np.nan]})
    save({"numbers": frame}, {"numbers": tmp_path / "deep" / "numbers.csv"})
    pd.testing.assert_frame_equal(read(tmp_path / "deep" / "numbers.csv"), frame, check_exact=True)


def test_panels_come_back_with_their_index_and_others_without(tmp_path):
    index = pd.MultiIndex.from_product([["Hebei", "Hainan"], [2001, 2002]])
    panel = pd.DataFrame({"gdp": [1.5, np.nan, 2.5, 3.0]}, index.set_names(["entity", "year"]))
    plain = pd.DataFrame({"series": ["gdp", "NA"], "unit": ["", "yuan"]}, index=[7, 8])
    save({"a": panel, "b": plain}, {"a": tmp_path / "a.csv", "b": tmp_path / "b.csv"})
    pd.testing.assert_frame_equal(read(tmp_path / "a.csv"), panel)
    back = read(tmp_path / "b.csv")
    assert list(back.columns) == ["series", "unit"]
    assert list(back["series"]) == ["gdp", "NA"]  # a word, not a missing value
    assert back["unit"].isna().tolist() == [True, False]


def test_an_empty_panel_comes_back_empty(tmp_path):
    index = pd.MultiIndex.from_arrays([[], []], names=["entity", "year"])
    save({"a": pd.DataFrame({"x": []}, index=index)}, {"a": tmp_path / "a.csv"})
    assert len(read(tmp_path / "a.csv")) == 0


def test_a_text_that_cannot_be_written_leaves_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \ud800")
    assert path.read_text(encoding="utf-8") == "old\n"


def test_a_write_leaves_no_draft_behind_and_keeps_line_ends(tmp_path):
    write_text(tmp_path / "a" / "b.txt", "one\ntwo 技术\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "one\ntwo 技术\n".encode()
    assert os.listdir(tmp_path / "a") == ["b.txt"]


def test_a_step_speaks_on_the_console_and_notes_warnings_in_its_log(tmp_path, capsys):
    with step(tmp_path / "logs" / "indices.log") as say:
        warnings.warn("Indicator x is 1 everywhere.", stacklevel=1)
        say("3 systems")
    assert capsys.readouterr().out == "  3 systems\n"
    log = (tmp_path / "logs" / "indices.log").read_text(encoding="utf-8")
    assert log.startswith("Note: Indicator x is 1 everywhere.\nUsed: ")


def test_a_log_says_what_the_step_used(tmp_path):
    with step(tmp_path / "a.log"):
        until = time.process_time() + 0.2
        held = b"x" * 10_000_000
        while time.process_time() < until:
            pass
    found = re.fullmatch(
        r"Used: (.+) s to start, (.+) s to work, (\d+) MB at most\n",
        (tmp_path / "a.log").read_text(),
    )
    start, work, peak = map(float, found.groups())
    assert 0 < start and 0.2 <= work < start + 2
    assert len(held) / 1e6 < peak < 100_000


def test_a_step_leaves_warnings_as_it_found_them(tmp_path):
    before = warnings.showwarning
    with step(tmp_path / "a.log"):
        pass
    assert warnings.showwarning is before


def test_a_mistake_of_the_user_ends_the_log_with_its_sentence(tmp_path):
    log = tmp_path / "panel.log"
    with pytest.raises(SystemExit) as stopped, step(log):
        raise TandemError("GDP of Hebei 2015 is blank; fill it in.")
    assert stopped.value.code == 1
    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("Used: ") and lines[1].startswith("Traceback")
    assert lines[-1] == "Stopped: GDP of Hebei 2015 is blank; fill it in."


def test_a_fault_of_the_program_is_not_laid_at_the_users_door(tmp_path):
    with pytest.raises(SystemExit), step(tmp_path / "panel.log"):
        raise KeyError("gdp")
    last = (tmp_path / "panel.log").read_text(encoding="utf-8").splitlines()[-1]
    assert last.startswith("Stopped: KeyError: 'gdp'.")
    assert "not of your data" in last


def test_why_tells_the_newest_stop_and_where_the_story_stands(tmp_path):
    for age, name in enumerate(["new", "old"]):
        (tmp_path / f"{name}.log").write_text(f"Traceback\nStopped: {name} one.\n")
        os.utime(tmp_path / f"{name}.log", (1e9 - age, 1e9 - age))
    (tmp_path / "fine.log").write_text("Note: all well\n")
    told = why(tmp_path)
    assert told.startswith("Stopped: new one.\n")
    assert str(tmp_path / "new.log") in told
    assert "old" not in told.splitlines()[0]


def test_why_without_any_stop_points_upwards(tmp_path):
    (tmp_path / "fine.log").write_text("Note: all well\n")
    assert why(tmp_path) == "Stopped: see the messages above.\n"


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.csv"
    write_whole(path, b"old")
    with pytest.raises(TypeError):
        write_whole(path, None)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_second_run_is_kept_out_while_the_first_is_at_work(tmp_path):
    held = lock(tmp_path / "results/s")
    with pytest.raises(TandemError, match="another run is at work on .*results/s; wait until"):
        lock(tmp_path / "results/s")
    held.close()
    lock(tmp_path / "results/s").close()


def test_results_that_cannot_be_written_are_told_before_anything_runs(tmp_path):
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(TandemError, match=r"logs/lock cannot be written \(Not a directory\); give"):
        lock(tmp_path / "results")


def test_stops_of_earlier_runs_are_forgotten_and_other_logs_kept(tmp_path):
    for name, text in (("a", "Stopped: old one."), ("b", "Note: all well\n")):
        (tmp_path / "deep").mkdir(exist_ok=True)
        (tmp_path / "deep" / f"{name}.log").write_text(text)
    forget(tmp_path)
    assert [p.name for p in tmp_path.rglob("*.log")] == ["b.log"]
    assert why(tmp_path) == "Stopped: see the messages above.\n"


@pytest.mark.parametrize(
    ("terminal", "shown"),
    [
        (True, "\r  fod [#####     ]  50%\r  fod [##########] 100%\n"),
        (False, "  fod [##########] 100%\n"),
    ],
)
def test_progress_is_redrawn_on_a_terminal_and_one_line_elsewhere(
    capsys, monkeypatch, terminal, shown
):
    said = progress(10)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    said("fod", 0.5)
    said("fod", 1.0)
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+A1",
        "-A1",
        "@x",
        "\tx",
        "'=x",
        "''@x",
        "- a dash",
        "-1e-5",
        "+",
        "-",
        "it's",
    ],
)
def test_no_saved_text_is_a_formula_and_each_comes_back(tmp_path, text):
    frame = pd.DataFrame({"text": [text, None, "x"], "number": [-1.5, 2.0, np.nan]})
    save({"one": frame}, {"one": tmp_path / "one.csv"})
    with open(tmp_path / "one.csv", encoding="utf-8", newline="") as file:
        cells = list(csv.reader(file))[1]
    number = re.fullmatch(r"[-+]?([\d.]+(e-?\d+)?)?", cells[0])
    assert number or cells[0][0] not in "=+-@\t\r"
    assert cells[1] == "-1.5"
    pd.testing.assert_frame_equal(
        read(tmp_path / "one.csv"), frame, check_dtype=False, check_column_type=False
    )


def test_an_entity_that_looks_like_a_formula_stays_itself(tmp_path):
    index = pd.MultiIndex.from_tuples([("=x", 2001), ("y", 2001)], names=["entity", "year"])
    save({"one": pd.DataFrame({"a": [1.0, 2.0]}, index)}, {"one": tmp_path / "one.csv"})
    assert "\n'=x,2001,1.0\n" in (tmp_path / "one.csv").read_text(encoding="utf-8")
    assert list(read(tmp_path / "one.csv").index) == list(index)


def test_a_folder_is_filled_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "tables"
    with whole_folder(folder) as new:
        (new / "a.csv").write_text("1")
    with pytest.raises(ZeroDivisionError), whole_folder(folder) as new:
        (new / "b.csv").write_text("2")
        1 / 0  # noqa: B018
    assert [p.name for p in tmp_path.iterdir()] == ["tables"]
    assert [p.name for p in folder.iterdir()] == ["a.csv"]
    with whole_folder(folder) as new:
        (new / "b.csv").write_text("2")
    assert [p.name for p in folder.iterdir()] == ["b.csv"]
    assert [p.name for p in tmp_path.iterdir()] == ["tables"]


def test_files_from_the_future_get_the_present_time(tmp_path):
    (tmp_path / "a").mkdir()
    for name, shift in (("old", -100), ("a/late", 86400)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (time.time() + shift,) * 2)
    old = (tmp_path / "old").stat().st_mtime
    back_from_the_future(tmp_path)
    assert (tmp_path / "old").stat().st_mtime == old
    assert abs((tmp_path / "a/late").stat().st_mtime - time.time()) < 10


def test_what_a_killed_run_left_is_settled(tmp_path):
    for name in ("a/.tables.part", "a/.tables.old", "b/tables", "b/.tables.old"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.csv").write_text(name)
    (tmp_path / "b/.y.csv.part").write_text("half")
    settle(tmp_path)
    left = {str(p.relative_to(tmp_path)): p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    # the folder that had been moved away is back; where the new one stands the old one is gone
    assert left == {"a/tables/x.csv": "a/.tables.old", "b/tables/x.csv": "b/tables"}


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    folder = tmp_path / "tables"
    with whole_folder(folder) as new:
        (new / "a.csv").write_text("1")
    rename = Path.rename

    def fails(self, target):
        if self.name == ".tables.part":
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="no"), whole_folder(folder) as new:
        (new / "b.csv").write_text("2")
    assert [p.name for p in tmp_path.iterdir()] == ["tables"]
    assert [p.name for p in folder.iterdir()] == ["a.csv"]
