import importlib
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from doorstep.care.diagnosis.ecg.measurements import Measurements, PreRead, Urgency
from doorstep.care.diagnosis.ecg.reading import read_recording
from doorstep.care.diagnosis.ecg.recording import Recording
from doorstep.care.diagnosis.ecg.rules import CRITICAL_VALUES, THRESHOLDS, st_limit
from doorstep.care.diagnosis.ecg.synthetic import Kind, synthesize
from doorstep.care.diagnosis.ecg.templates import BY_CODE, PHRASES
from doorstep.care.diagnosis.ecg.tests.factories import real_file, recording

# Loading the signal library takes seconds: one worker does it, and when it comes to these tests.
pytestmark = pytest.mark.xdist_group("signals")


def preread(source: Recording) -> PreRead:
    found: PreRead = importlib.import_module("doorstep.care.diagnosis.ecg.preread").preread(source)
    return found


def measured(source: Recording) -> Measurements:
    found = preread(source)
    assert found.measurements is not None
    return found.measurements


def codes(source: Recording) -> set[str]:
    return {suspicion.code for suspicion in preread(source).suspicions}


def test_preread_of_a_real_normal_recording_is_close_to_the_cart() -> None:
    found = preread(read_recording(real_file()))
    values = found.measurements
    assert found.urgency is Urgency.NORMAL
    assert values is not None
    # the cart says RR 982, PR 161, QRS 75, QT 368, axis 52
    assert values.heart_rate == pytest.approx(61.1, abs=1)
    assert values.pr_ms == pytest.approx(161, abs=20)
    assert values.qrs_ms == pytest.approx(75, abs=15)
    assert values.qt_ms == pytest.approx(368, abs=20)
    assert values.axis_degrees == pytest.approx(52, abs=10)


@pytest.mark.parametrize("rate", [45, 60, 80, 110, 140])
@pytest.mark.parametrize("seed", [1, 2])
def test_preread_finds_the_rate(rate: float, seed: int) -> None:
    assert measured(synthesize(Kind.NORMAL, seed=seed, rate=rate)).heart_rate == pytest.approx(rate, rel=0.03)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("kind", "code", "urgency"),
    [
        (Kind.INFERIOR_STEMI, "st_elevation_inferior", Urgency.CRITICAL),
        (Kind.ANTERIOR_STEMI, "st_elevation_anterior", Urgency.CRITICAL),
        (Kind.PAUSE, "pause", Urgency.CRITICAL),
        (Kind.SEVERE_BRADYCARDIA, "bradycardia_severe", Urgency.CRITICAL),
        (Kind.COMPLETE_AV_BLOCK, "av_block_high", Urgency.CRITICAL),
        (Kind.VENTRICULAR_TACHYCARDIA, "wide_qrs_tachycardia", Urgency.CRITICAL),
        (Kind.ATRIAL_FIBRILLATION, "atrial_fibrillation", Urgency.URGENT),
        (Kind.LONG_QT, "qtc_long", Urgency.URGENT),
        (Kind.SINUS_TACHYCARDIA, "tachycardia", Urgency.ORDINARY),
    ],
)
def test_preread_suspects(kind: Kind, code: str, urgency: Urgency, seed: int) -> None:
    source = recording(kind, seed=seed)
    assert code in codes(source)
    assert preread(source).urgency is urgency


@pytest.mark.parametrize("seed", range(6))
def test_preread_of_a_normal_heart_suspects_nothing(seed: int) -> None:
    assert preread(recording(seed=seed)).urgency is Urgency.NORMAL


@pytest.mark.parametrize("kind", [Kind.NOISE, Kind.FLAT])
def test_preread_of_noise_is_not_usable_and_says_why(kind: Kind) -> None:
    found = preread(recording(kind))
    assert (found.usable, found.urgency, found.measurements) == (False, Urgency.URGENT, None)
    assert found.reason_zh.endswith("。")


def test_preread_notes_pacing_spikes() -> None:
    source = recording()
    samples = source.samples.copy()
    samples[:, 100::400] += 2500
    assert measured(replace(source, samples=samples)).pacing_spikes
    assert not measured(source).pacing_spikes


def test_preread_never_raises_on_strange_samples() -> None:
    random = np.random.default_rng(3)
    source = recording()
    for scale in (1, 1_000, 1_000_000):
        samples = random.integers(-scale, scale + 1, source.samples.shape).astype(np.int32)
        assert preread(replace(source, samples=samples)).reason_zh


@pytest.mark.parametrize(
    ("lead", "sex", "age", "limit"),
    [
        ("II", "male", 30, 1.0),
        ("V2", "male", 30, 2.5),
        ("V3", "male", 60, 2.0),
        ("V2", "female", 60, 1.5),
        ("V2", None, None, 1.5),
    ],
)
def test_st_limit(lead: str, sex: str | None, age: int | None, limit: float) -> None:
    assert st_limit(lead, sex=sex, age=age) == limit  # type: ignore[arg-type]


def test_tables_are_whole() -> None:
    assert len(BY_CODE) == len(PHRASES)
    assert len({phrase.key for phrase in PHRASES}) == len(PHRASES)
    assert len({value.code for value in CRITICAL_VALUES}) == len(CRITICAL_VALUES)
    assert all(threshold.source for threshold in THRESHOLDS.values())


def test_reading_does_not_load_the_signal_library() -> None:
    script = (
        "import sys; from doorstep.care.diagnosis.ecg import reading, identity, wire, rules, templates, synthetic;"
        "sys.exit('neurokit2' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
