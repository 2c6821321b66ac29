/* Clicks and keys of the vote widget, by delegation, and its start when its tab is first shown. */
(() => {
  "use strict";
  const state = window.mvArena;
  const parts = window.mvArenaParts;
  const { kept, keep, root, part, failed, play, pause, choose, vote, quality, review, giveGrade, undo, next, begin, consent } = parts;

  const actions = {
    review, agree: () => consent(true), decline: () => consent(false), check: parts.check, go: next, next, undo, names: parts.names,
    download: parts.download, forget: parts.forget,
    retry: () => (state.battle ? next() : begin()), reconsider: () => begin(),
    play: () => (state.playing ? pause() : play().catch(failed)),
    help: () => part("help").showModal(),
    "help-close": () => part("help").close(),
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("#mv-arena button");
    if (!button || button.disabled) return;
    if (button.dataset.side) return choose(Number(button.dataset.side));
    if (button.dataset.outcome) return vote(button.dataset.outcome);
    if (button.dataset.quality) return quality(button.dataset.quality, button);
    if (button.dataset.grade) return giveGrade(button.dataset.grade === "none" ? null : Number(button.dataset.grade));
    const action = actions[button.dataset.action];
    if (action) Promise.resolve(action()).catch(failed);
  });
  document.addEventListener("change", (event) => {
    if (!event.target.closest || !event.target.closest("#mv-arena")) return;
    if (event.target.name === "mv-direction") {
      part("place").textContent = "";
      part("review").hidden = true;
      state.review = null;
      if (state.battle) next();
    }
    if (event.target.name === "mv-keys") keep("keys", event.target.checked ? "on" : "off");
  });
  const OUTCOMES = { 1: "left", 2: "right", 3: "tie", 4: "both_bad", 5: "skip" };
  document.addEventListener("keydown", (event) => {
    if (!root() || root().offsetParent === null || kept("keys", "on") === "off") return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const typing = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable=true]");
    if (typing || part("help").open) return;
    const key = event.key.toLowerCase();
    const inBattle = ["battle", "voted", "named"].includes(state.step);
    if (inBattle && (key === "q" || key === "w")) choose(key === "q" ? 0 : 1);
    else if ((inBattle || state.step === "grading") && key === " " && !event.target.closest("button, input, a, summary")) actions.play();
    else if (state.step === "battle" && OUTCOMES[key]) vote(OUTCOMES[key]);
    else if (state.step === "grading" && ["0", "1", "2", "3"].includes(key)) giveGrade(Number(key));
    else if (state.step === "grading" && key === "s") giveGrade(null);
    else if (["grading", "all-graded"].includes(state.step) && key === "r") review();
    else if (state.step === "voted" && key === "u") undo();
    else if (key === "n" && (state.step === "named" || state.step === "voted")) next();
    else if (key === "?") actions.help();
    else return;
    event.preventDefault();
  });
  new MutationObserver(() => {
    const here = root();
    if (here && !here.dataset.begun && here.offsetParent !== null) {
      here.dataset.begun = "1";
      here.querySelector("[name=mv-keys]").checked = kept("keys", "on") === "on";
      begin();
    }
    if (state.playing && (!here || here.offsetParent === null)) pause();
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["style", "class", "hidden"] });
})();
