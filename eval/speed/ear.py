"""What is really heard in a browser, and tones by which one music is told from another.

Every sound that goes to the speakers passes an AnalyserNode first, so what is measured is sound and no flag of a page.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

RATE_HZ = 44100
TONES_HZ = (300, 480, 770, 1230, 1970)

# window.heard(): { rms, hz } of the last 43 ms; window.switched(button, hz): ms from its click until hz leads
EAR = """
window.ears = [];
const link = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
  const result = link.call(this, to, ...more);
  if (to instanceof AudioDestinationNode && this.context instanceof AudioContext) {
    const ear = this.context.createAnalyser();
    ear.fftSize = 2048;
    ear.smoothingTimeConstant = 0;
    link.call(this, ear);
    ears.push(ear);
  }
  return result;
};
window.heard = () => {
  let best = { rms: 0, hz: 0 };
  for (const ear of ears) {
    const wave = new Float32Array(ear.fftSize), bins = new Float32Array(ear.frequencyBinCount);
    ear.getFloatTimeDomainData(wave);
    ear.getFloatFrequencyData(bins);
    const rms = Math.sqrt(wave.reduce((sum, x) => sum + x * x, 0) / wave.length);
    const peak = bins.reduce((top, level, n) => (level > bins[top] ? n : top), 1);
    const [a, b, c] = [bins[peak - 1], bins[peak], bins[peak + 1]];
    const hz = ((peak + (a - c) / (2 * (a - 2 * b + c))) * ear.context.sampleRate) / ear.fftSize;
    if (rms > best.rms) best = { rms, hz };
  }
  return best;
};
window.switched = (button, hz) => new Promise((done) => {
  const begun = performance.now(), give_up = begun + 30000;
  button.click();
  const listen = () => {
    const now = heard();
    if (now.rms > 0.003 && Math.abs(now.hz - hz) < 0.06 * hz) done(performance.now() - begun);
    else if (performance.now() > give_up) done(Infinity);
    else setTimeout(listen, 2);
  };
  listen();
});
"""

# a page that plays its sound in plain players: they are heard by the same ear
PLAIN_PLAYERS = """
document.addEventListener("play", (event) => {
  if (event.target.heard) return;
  event.target.heard = true;
  window.plain ||= new AudioContext();
  plain.resume();
  plain.createMediaElementSource(event.target).connect(plain.destination);
}, true);
"""


def write_wave(out: Path, samples: npt.NDArray[np.floating[Any]]) -> Path:
    """Write mono samples as 16 bit PCM."""
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((32767 * samples).astype("<i2").tobytes())
    return out


def write_tone(folder: Path, hz: int, seconds: int = 40) -> Path:
    """A tone that leads, and a quiet high melody of its own, so that no two are taken for the same music."""
    t = np.arange(seconds * RATE_HZ) / RATE_HZ
    notes = np.random.default_rng(hz).integers(0, 24, 2 * seconds + 1)[(2 * t).astype(int)]
    melody = np.sin(2 * np.pi * np.cumsum(1300 * 2.0 ** (notes / 12)) / RATE_HZ)
    return write_wave(folder / f"tone {hz}.wav", 0.3 * np.sin(2 * np.pi * hz * t) + 0.09 * melody)
