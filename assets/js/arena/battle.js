/* A battle of the vote widget: drawn, heard, decided, taken back, named. */
(() => {
  "use strict";
  const state = window.mvArena;
  const parts = window.mvArenaParts;
  const { participant, call, root, part, say, show, grading, direction, paint, ready, gate, failed, load, pause } = parts;

  const open = async (battle, turn) => {
    Object.assign(state, { battle, heard: [0, 0], switches: 0, videoMs: 0, side: 0, busy: false });
    part("reveal").replaceChildren();
    root().querySelectorAll("[name=mv-reason]:checked, [name=mv-known]:checked").forEach((box) => { box.checked = false; });
    root().querySelectorAll("[data-quality]").forEach((button) => { button.disabled = false; button.setAttribute("aria-pressed", "false"); });
    part("quality-box").hidden = battle.direction === "m2v";
    if (!(await load(battle, turn))) return;
    show(battle.progress ? "grading" : "battle");
    paint();
    gate();
    part("time").style.setProperty("--at", "0%");
    part("retry").hidden = true;
    if (battle.progress) say(mvTexts.press_space);
    else if (battle.restored) say(mvTexts.left_open);
    else say(battle.direction === "m2v" ? mvTexts.press_watch : mvTexts.press_listen);
  };

  const next = async () => {
    pause();
    clearTimeout(state.undoTimer);
    show("waiting");
    if (grading()) return parts.nextGrade();  /* of a file that comes after this one */
    const turn = ++state.turn;
    say(mvTexts.preparing);
    try {
      const payload = { session: state.session, direction: direction() };
      const own = root().dataset.own;
      if (state.study) payload.pid = participant;
      else if (own && root().dataset.ownDirection === direction()) payload.own = own;
      const battle = await call("battle", payload);
      parts.counted(battle);
      if (turn !== state.turn) return;
      if (state.study) part("place").textContent = battle.code ? "" : mvWords("battle_of", { at: battle.done + 1, wanted: battle.wanted });
      if (battle.code) return finished(battle);
      await open(battle, turn);
      if (turn !== state.turn) return;
      delete root().dataset.own;
      if (state.moveFocus) root().querySelector("[data-side='0']").focus();
      state.moveFocus = true;
    } catch (error) {
      show("start");
      failed(error);
    }
  };

  const finished = (end) => {
    part("code").textContent = end.code;
    show("finished");
    say(mvWords("all_done", { wanted: end.wanted }), "ok");
  };

  const vote = async (outcome) => {
    if (state.busy || state.step !== "battle" || (outcome !== "skip" && !ready())) return;
    state.busy = true;
    gate();
    say(mvTexts.saving);
    try {
      const answer = await call("vote", {
        session: state.session, direction: direction(), token: state.battle.token, outcome,
        ...(state.study ? { pid: participant } : {}),
        listen_left_ms: Math.round(state.heard[0]), listen_right_ms: Math.round(state.heard[1]),
        video_ms: Math.round(state.videoMs), switches: state.switches,
        reasons: Array.from(root().querySelectorAll("[name=mv-reason]:checked"), (box) => box.value),
        recognised: Boolean(root().querySelector("[name=mv-known]:checked")),
      });
      state.busy = false;
      parts.counted(answer);
      if (outcome === "skip") return next();
      show("voted");
      gate();
      say(answer.pause ? mvTexts.saved_rest : mvTexts.saved, "ok");
      part("undo").hidden = false;
      clearTimeout(state.undoTimer);
      state.undoTimer = setTimeout(() => { part("undo").hidden = true; }, answer.undo_ms - 300);
      part("names").focus();
    } catch (error) {
      state.busy = false;
      if (error.keep && !error.reload) { say(mvWords("not_saved_yet", { why: error.message }), "error"); return gate(); }  /* the battle stays */
      if (error.status === 409) { say(error.message, "error"); setTimeout(next, error.keep ? 3000 : 1200); return; }
      failed(new Error(mvWords("not_saved", { why: error.message })));
    }
  };

  /* a vote of its own, on the music alone: the same battle, another aspect */
  const quality = async (outcome, button) => {
    const buttons = Array.from(root().querySelectorAll("[data-quality]"));
    buttons.forEach((one) => { one.disabled = true; });
    try {
      await call("vote", {
        session: state.session, direction: direction(), token: state.battle.token, outcome, aspect: "quality",
        ...(state.study ? { pid: participant } : {}),
        listen_left_ms: Math.round(state.heard[0]), listen_right_ms: Math.round(state.heard[1]),
      });
      button.setAttribute("aria-pressed", "true");
      say(mvTexts.saved_too, "ok");
    } catch (error) {
      buttons.forEach((one) => { one.disabled = false; });
      failed(error);
    }
  };

  const undo = async () => {
    if (part("undo").hidden) return;
    part("undo").hidden = true;
    try {
      const battle = await call("undo", { token: state.battle.token });
      const heard = state.heard;
      state.battle.token = battle.token;
      parts.counted(battle);
      show("battle");
      state.heard = heard;
      gate();
      say(mvTexts.taken_back);
    } catch (error) { failed(error); }
  };

  const names = async () => {
    part("undo").hidden = true;
    const grade = (side) => {
      const chosen = root().querySelector(`[name=mv-grade-${side}]:checked`);
      return chosen ? Number(chosen.value) : null;
    };
    try {
      const sides = await call("reveal", { session: state.session, token: state.battle.token, left: grade(0), right: grade(1) });
      parts.counted(sides);
      part("reveal").replaceChildren(...[sides.left, sides.right].map((side, n) => {
        const box = document.createElement("p");
        const strong = document.createElement("strong");
        strong.textContent = `${"AB"[n]}: ${side.artist ? mvWords("by", { title: side.title, artist: side.artist }) : side.title}`;
        const chosen = side.rank ? mvWords("chosen_as", { system: side.system, rank: side.rank }) : mvWords("chosen", { system: side.system });
        box.append(strong, ` · ${chosen} · ${side.licence}`);
        return box;
      }));
      show("named");
      say(mvTexts.named);
      part("next").focus();
    } catch (error) { failed(error); }
  };

  Object.assign(parts, { open, next, vote, quality, undo, names });
})();
