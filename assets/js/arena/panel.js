/* What the visitor of the vote widget sees: its step, its status line, which buttons are open. */
(() => {
  "use strict";
  const state = window.mvArena;
  const root = () => document.getElementById("mv-arena");
  const part = (name) => root().querySelector(`[data-part="${name}"]`);

  const say = (text, kind = "") => {
    const line = part("status");
    line.textContent = text;
    line.dataset.kind = kind;
  };
  const show = (step) => {
    state.step = step;
    root().dataset.step = step;
  };
  const mode = () => root().querySelector("[name=mv-direction]:checked").value;
  const grading = () => !state.study && mode() === "grade";
  const direction = () => state.study || mode();

  const paint = () => {
    root().querySelectorAll("[data-side]").forEach((button) => {
      const on = Number(button.dataset.side) === state.side;
      button.setAttribute("aria-pressed", String(on && state.playing));
      button.classList.toggle("is-on", on);
    });
    part("play").textContent = state.playing ? mvTexts.pause : mvTexts.play;
  };

  const ready = () => state.heard.every((ms) => ms >= state.battle.needed_ms);
  const gradeGate = () => {
    const left = Math.max(0, Math.ceil((state.battle.needed_ms - state.heard[0]) / 1000));
    root().querySelectorAll("[data-grade]").forEach((button) => {
      button.disabled = Boolean(state.busy) || (left > 0 && button.dataset.grade !== "none");
    });
    part("grade-gate").textContent = left ? mvWords("listen_first", { left }) : mvTexts.how_well;
  };
  const gate = () => {
    if (state.step === "grading") return gradeGate();
    state.heard.forEach((ms, n) => {
      part(`heard-${n}`).style.setProperty("--done", `${Math.min(100, (100 * ms) / state.battle.needed_ms)}%`);
    });
    const open = ready() || state.step !== "battle";
    root().querySelectorAll("[data-outcome]").forEach((button) => {
      button.disabled = state.busy || state.step !== "battle" || (!open && button.dataset.outcome !== "skip");
    });
    const left = state.heard.map((ms) => Math.max(0, Math.ceil((state.battle.needed_ms - ms) / 1000)));
    part("gate").textContent = ready() ? mvTexts.which_better : mvWords("listen_both", { a: left[0], b: left[1] });
  };

  const failed = (error) => {
    say(error.message, "error");
    state.busy = false;
    if (["battle", "grading"].includes(root().dataset.step)) gate();
    part("retry").hidden = false;
  };

  Object.assign(window.mvArenaParts, { root, part, say, show, grading, direction, paint, ready, gate, failed });
})();
