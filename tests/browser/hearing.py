"""What is really heard in the browser: every sound that goes to the speakers passes an AnalyserNode first."""

from __future__ import annotations

from typing import Any

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


def heard_hz(page: Any) -> float:
    """The loudest frequency that is heard now; 0 in silence."""
    now = page.evaluate("heard()")
    return float(now["hz"]) if now["rms"] > 0.003 else 0.0


def wait_hz(page: Any, hz: float) -> None:
    """Wait until a tone leads."""
    page.wait_for_function(
        "hz => { const now = heard(); return now.rms > 0.003 && Math.abs(now.hz - hz) < 0.06 * hz; }", arg=hz
    )


def wait_silence(page: Any) -> None:
    """Wait until nothing is heard."""
    page.wait_for_function("() => heard().rms < 0.0005")
