/* The vote widget: one picture, two musics (or two pictures, one music), switched while the video runs on.
   Sound comes from WebAudio buffers that all start at once; their gains are switched. The audio clock leads,
   the picture follows: see follow(). Runs once, from <head>; finds #mv-arena whenever its tab is mounted. */
(() => {
  "use strict";
  if (window.mvArena) return;
  const FADE_S = 0.012, FOLLOW_MS = 200, SMALL_S = 0.025, LARGE_S = 0.25;
  const root = () => document.getElementById("mv-arena");
  const part = (name) => root().querySelector(`[data-part="${name}"]`);
  const state = { step: "start", side: 0, heard: [0, 0], switches: 0, videoMs: 0, playing: false, graded: {}, review: null, turn: 0 };
  window.mvArena = state;

  const kept = (key, fallback) => localStorage.getItem("mv_" + key) ?? fallback;
  const keep = (key, value) => localStorage.setItem("mv_" + key, value);
  const base = new URL(".", document.baseURI);
  const participant = (new URLSearchParams(location.search).get("pid") || "").slice(0, 200);

  const call = async (name, payload = {}) => {
    const response = await fetch(new URL("arena/" + name, base), {
      method: "POST",
      headers: { "content-type": "application/json", "x-mvr-voter": state.cookie || kept("voter", "") },
      body: JSON.stringify(payload),
    });
    let answer;
    try { answer = await response.json(); } catch { answer = {}; }
    if (!response.ok) throw Object.assign(new Error(answer.error || "The server did not answer. Try again."), { status: response.status });
    return answer;
  };

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

  /* ---- sound and picture ---- */
  let context, sources = [], gains = [], startedAt = 0, offset = 0, timer = 0;
  const audioContext = () => (context ||= new AudioContext({ latencyHint: "interactive" }));
  const videos = () => Array.from(part("stage").querySelectorAll("video"));
  const duration = () => state.battle.duration_s;
  const audioOf = (side) => (state.buffers.length === 1 ? 0 : side);
  /* what is heard now, not what was scheduled: the output has latency */
  const latency = () => (context.outputLatency || context.baseLatency || 0);
  const position = () => (state.playing ? (context.currentTime - startedAt - latency()) : offset);
  state.position = position;

  const stopSources = () => {
    sources.forEach((source) => { source.onended = null; try { source.stop(); } catch (error) { if (error.name !== "InvalidStateError") throw error; } });
    sources = [];
  };

  const play = async () => {
    await audioContext().resume();
    if (offset >= duration() - 0.05) offset = 0;
    stopSources();
    document.querySelectorAll("audio, video").forEach((m) => !m.muted && m.pause());
    await Promise.all(videos().map((video) => { video.currentTime = offset; return video.play(); }));
    const at = context.currentTime + 0.03;
    gains = state.buffers.map((_, n) => {
      const gain = context.createGain();
      gain.gain.value = n === audioOf(state.side) ? 1 : 0;
      gain.connect(context.destination);
      return gain;
    });
    sources = state.buffers.map((buffer, n) => {
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(gains[n]);
      source.start(at, offset);
      return source;
    });
    sources[0].onended = ended;
    startedAt = at - offset;
    state.playing = true;
    clearInterval(timer);
    let last = performance.now();
    timer = setInterval(() => {
      const now = performance.now();
      tick(now - last);
      last = now;
    }, FOLLOW_MS);
    paint();
  };

  const pause = () => {
    if (!state.playing) return;
    offset = Math.max(0, Math.min(position(), duration()));
    state.playing = false;
    clearInterval(timer);
    stopSources();
    videos().forEach((video) => { video.pause(); video.playbackRate = 1; });
    paint();
  };
  const ended = () => { pause(); offset = 0; play().catch(failed); };

  /* the picture follows the sound: gently by its speed, by a jump when it is far off */
  const follow = () => {
    const target = position();
    state.offsets = videos().map((video) => video.currentTime - target);
    videos().forEach((video, n) => {
      const late = state.offsets[n];
      if (Math.abs(late) > LARGE_S) video.currentTime = Math.max(0, target);
      video.playbackRate = Math.abs(late) > SMALL_S ? Math.min(1.08, Math.max(0.92, 1 - late)) : 1;
    });
  };

  const tick = (passed) => {
    if (!root() || root().offsetParent === null) return pause();
    follow();
    if (state.step === "battle" || state.step === "grading") {
      state.heard[state.side] += passed;
      state.videoMs += passed;
      gate();
    }
    part("time").style.setProperty("--at", `${Math.min(100, (100 * position()) / duration())}%`);
  };

  const choose = (side) => {
    if (state.side !== side) state.switches += 1;
    state.side = side;
    const now = context ? context.currentTime : 0;
    gains.forEach((gain, n) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setTargetAtTime(n === audioOf(side) ? 1 : 0, now, FADE_S / 3);
    });
    state.switchedAt = performance.now();
    videos().forEach((video, n) => video.classList.toggle("is-on", videos().length === 1 || n === side));
    if (!state.playing) play().catch(failed); else paint();
  };

  /* ---- what the visitor sees ---- */
  const paint = () => {
    root().querySelectorAll("[data-side]").forEach((button) => {
      const on = Number(button.dataset.side) === state.side;
      button.setAttribute("aria-pressed", String(on && state.playing));
      button.classList.toggle("is-on", on);
    });
    part("play").textContent = state.playing ? "Pause" : "Play";
  };

  const ready = () => state.heard.every((ms) => ms >= state.battle.needed_ms);
  const gradeGate = () => {
    const left = Math.max(0, Math.ceil((state.battle.needed_ms - state.heard[0]) / 1000));
    root().querySelectorAll("[data-grade]").forEach((button) => {
      button.disabled = Boolean(state.busy) || (left > 0 && button.dataset.grade !== "none");
    });
    part("grade-gate").textContent = left ? `Listen first: ${left} s to go.` : "How well does this music fit the clip?";
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
    part("gate").textContent = ready() ? "Which fits better?" : `Listen to both first: A ${left[0]} s, B ${left[1]} s to go.`;
  };

  const failed = (error) => {
    say(error.message, "error");
    state.busy = false;
    if (["battle", "grading"].includes(root().dataset.step)) gate();
    part("retry").hidden = false;
  };

  /* `turn` is of the call that asked: a later one makes this one stop, so that two never mix */
  const load = async (battle, turn) => {
    Object.assign(state, { battle, heard: [0, 0], switches: 0, videoMs: 0, side: 0, busy: false, graded: {} });
    offset = 0;
    part("reveal").replaceChildren();
    root().querySelectorAll("[name=mv-reason]:checked").forEach((box) => { box.checked = false; });
    root().querySelectorAll("[data-quality]").forEach((button) => { button.disabled = false; button.setAttribute("aria-pressed", "false"); });
    part("quality-box").hidden = battle.direction === "m2v";
    const stage = part("stage");
    stage.replaceChildren(...battle.videos.map((address, n) => {
      const video = document.createElement("video");
      Object.assign(video, { src: new URL(address, base).href, muted: true, playsInline: true, preload: "auto" });
      video.setAttribute("aria-hidden", "true");
      video.classList.toggle("is-on", n === 0);
      return video;
    }));
    const bytes = await Promise.all(battle.sounds.map(async (address) => {
      const response = await fetch(new URL(address, base));
      if (!response.ok) throw new Error("The sound of this battle could not be loaded. Try again.");
      return response.arrayBuffer();
    }));
    const buffers = await Promise.all(bytes.map((data) => audioContext().decodeAudioData(data)));
    if (turn !== state.turn) return;
    state.buffers = buffers;
    await Promise.all(videos().map((video) => video.readyState >= 3 || new Promise((done, fail) => {
      video.addEventListener("canplay", done, { once: true });
      video.addEventListener("error", () => fail(new Error("The clip of this battle could not be loaded. Try again.")), { once: true });
    })));
    if (turn !== state.turn) return;
    show(battle.progress ? "grading" : "battle");
    paint();
    gate();
    part("time").style.setProperty("--at", "0%");
    part("retry").hidden = true;
    if (battle.progress) say("Press Space or Play to listen.");
    else say(battle.restored ? "Here is the battle that you left open." : "Press A or B to listen. The video keeps its place.");
  };

  const next = async () => {
    pause();
    clearTimeout(state.undoTimer);
    show("waiting");
    if (grading()) return nextGrade();
    const turn = ++state.turn;
    say("Preparing the next battle …");
    try {
      const payload = { session: state.session, direction: direction() };
      const own = root().dataset.own;
      if (state.study) payload.pid = participant;
      else if (own && root().dataset.ownDirection === direction()) payload.own = own;
      const battle = await call("battle", payload);
      if (turn !== state.turn) return;
      if (state.study) part("place").textContent = battle.code ? "" : `Battle ${battle.done + 1} of ${battle.wanted}`;
      if (battle.code) return finished(battle);
      await load(battle, turn);
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
    say(`All ${end.wanted} battles are done. Thank you.`, "ok");
  };

  /* state.review is the place in the queue of disagreements, or null while new items are graded */
  const nextGrade = async (playOn = false) => {
    const turn = ++state.turn;
    say("Preparing the next music …");
    try {
      const review = state.review !== null;
      const item = await (review
        ? call("judge-disputed", { session: state.session, place: state.review })
        : call("judge-next", { session: state.session }));
      if (turn !== state.turn) return;
      if (review && !item.token) { state.review = null; return nextGrade(playOn); }
      graded(item);
      if (!item.token) { show("all-graded"); return say("Nothing is left for you to grade. Thank you.", "ok"); }
      await load(item, turn);
      if (turn !== state.turn) return;
      part("play").focus();
      if (playOn) await play();
    } catch (error) {
      if (turn !== state.turn) return;
      show("start");
      failed(error);
    }
  };

  const graded = ({ progress, place, grades, own }) => {
    const review = state.review !== null;
    state.disputed = progress.disputed;
    part("place").textContent = review ? `Disagreement ${place + 1} of ${progress.disputed}` : `Graded ${progress.own} of ${progress.items}`;
    part("review").hidden = !review && !progress.disputed;
    part("review").textContent = review ? "Back to the list (R)" : `Where judges disagree: ${progress.disputed} (R)`;
    part("disputed").hidden = part("review-guide").hidden = !review;
    part("guide").hidden = review;
    part("disputed").textContent = review ? `Grades so far: ${grades.join(", ")}. Yours: ${own}.` : "";
    part("no-grade").textContent = review ? "Keep mine (S)" : "Cannot say (S)";
  };

  const review = () => {
    if (!["grading", "all-graded"].includes(state.step) || part("review").hidden) return;
    pause();
    state.review = state.review === null ? 0 : null;
    show("waiting");
    return nextGrade();
  };

  const giveGrade = async (grade) => {
    if (state.busy || state.step !== "grading" || (grade !== null && state.heard[0] < state.battle.needed_ms)) return;
    state.busy = true;
    gate();
    const playOn = state.playing, keeps = state.review !== null && grade === null;
    try {
      if (keeps) state.review += 1;
      else {
        say("Saving …");
        const answer = await call("judge", { session: state.session, token: state.battle.token, grade, listen_ms: Math.round(state.heard[0]) });
        if (state.review !== null && answer.progress.disputed === state.disputed) state.review += 1;  /* settled ones leave the queue */
      }
      pause();
      show("waiting");
      await nextGrade(playOn);
    } catch (error) {
      if (error.status === 409) { say(error.message, "error"); state.busy = false; setTimeout(next, 1200); return; }
      failed(new Error(`Not saved: ${error.message}`));
    }
  };

  const vote = async (outcome) => {
    if (state.busy || state.step !== "battle" || (outcome !== "skip" && !ready())) return;
    state.busy = true;
    gate();
    say("Saving …");
    try {
      const answer = await call("vote", {
        session: state.session, direction: direction(), token: state.battle.token, outcome,
        ...(state.study ? { pid: participant } : {}),
        listen_left_ms: Math.round(state.heard[0]), listen_right_ms: Math.round(state.heard[1]),
        video_ms: Math.round(state.videoMs), switches: state.switches,
        reasons: Array.from(root().querySelectorAll("[name=mv-reason]:checked"), (box) => box.value),
      });
      state.busy = false;
      part("mine").textContent = answer.mine;
      if (outcome === "skip") return next();
      show("voted");
      gate();
      say(answer.pause ? "Saved. That was quick: take a short rest before the next one." : "Saved. Undo within 10 seconds.", "ok");
      part("undo").hidden = false;
      clearTimeout(state.undoTimer);
      state.undoTimer = setTimeout(() => { part("undo").hidden = true; }, answer.undo_ms - 300);
      part("names").focus();
    } catch (error) {
      if (error.status === 409) { say(error.message, "error"); state.busy = false; setTimeout(next, 1200); return; }
      failed(new Error(`Not saved: ${error.message}`));
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
      say("Saved, too.", "ok");
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
      part("mine").textContent = battle.mine;
      show("battle");
      state.heard = heard;
      gate();
      say("Taken back. Choose again.");
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
      part("reveal").replaceChildren(...[sides.left, sides.right].map((side, n) => {
        const box = document.createElement("p");
        const strong = document.createElement("strong");
        strong.textContent = `${"AB"[n]}: ${side.title}${side.artist ? " by " + side.artist : ""}`;
        box.append(strong, ` · chosen by ${side.system}${side.rank ? `, rank ${side.rank}` : ""} · ${side.licence}`);
        return box;
      }));
      show("named");
      say("That is who they were.");
      part("next").focus();
    } catch (error) { failed(error); }
  };

  const consent = async (given) => {
    try {
      await call("consent", { session: state.session, given });
      if (!given) { show("declined"); return say("Nothing is kept. All other tabs work as before."); }
      show("sound");
      say("Set a comfortable volume first.");
    } catch (error) { failed(error); }
  };

  const check = async () => {
    await audioContext().resume();
    const gain = context.createGain();
    gain.gain.setValueAtTime(0, context.currentTime);
    gain.connect(context.destination);
    [262, 330, 392, 523].forEach((hz, n) => {
      const tone = context.createOscillator();
      tone.type = "triangle";
      tone.frequency.value = hz;
      tone.connect(gain);
      tone.start(context.currentTime + n * 0.4);
      tone.stop(context.currentTime + n * 0.4 + 0.38);
    });
    gain.gain.linearRampToValueAtTime(0.22, context.currentTime + 0.05);
    gain.gain.setValueAtTime(0.22, context.currentTime + 1.5);
    gain.gain.linearRampToValueAtTime(0, context.currentTime + 1.6);
    part("go").focus();
  };

  const download = async () => {
    const data = await call("mine", { session: state.session });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(data, null, 2)], { type: "application/json" }));
    link.download = "my-votes.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const forget = async () => {
    if (!confirm("Withdraw all your votes? They will no longer count.")) return;
    const answer = await call("forget", { session: state.session });
    if (!state.study) keep("voter", answer.voter);
    part("mine").textContent = 0;
    pause();
    show("start");
    say("Your votes are withdrawn. You are a new visitor now.", "ok");
    begin(true);
  };

  const begin = async (quiet = false) => {
    try {
      const hello = await call("hello", participant ? { pid: participant } : {});
      if (hello.study) {
        Object.assign(state, { study: hello.study_direction, cookie: hello.voter });  /* not kept: the address says who */
        root().dataset.study = "1";
      } else keep("voter", hello.voter);
      Object.assign(state, { session: hello.session, grades: hello.grades, consented: hello.consent });
      part("mine").textContent = hello.mine;
      part("saved").textContent = hello.saved;
      part("consent-text").replaceChildren(...hello.consent_text.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
      for (const side of [0, 1]) {
        part(`grade-${side}`).replaceChildren(...Object.entries(hello.grades).map(([value, words]) => {
          const label = document.createElement("label");
          const input = Object.assign(document.createElement("input"), { type: "radio", name: `mv-grade-${side}`, value });
          label.append(input, ` ${value} ${words}`);
          return label;
        }));
      }
      part("reasons").replaceChildren(...hello.reasons.map((value) => {
        const label = document.createElement("label");
        const input = Object.assign(document.createElement("input"), { type: "checkbox", name: "mv-reason", value });
        label.append(input, ` ${value}`);
        return label;
      }));
      part("grade-choices").replaceChildren(...Object.entries(hello.grades).sort().map(([value, words]) => {
        const button = Object.assign(document.createElement("button"), { type: "button", disabled: true });
        button.dataset.grade = value;
        button.append(Object.assign(document.createElement("b"), { textContent: value }), ` ${words}`);
        return button;
      }));
      const note = hello.note ? `${hello.note} ` : "";
      if (!hello.consent) { show("consent"); if (!quiet) say(`${note}Please read this first.`); } else { show("sound"); say(`${note}Welcome back. Set a comfortable volume, then go on.`); }
    } catch (error) { failed(error); }
  };

  /* ---- clicks and keys, by delegation ---- */
  const actions = {
    review, agree: () => consent(true), decline: () => consent(false), check, go: next, next, undo, names, download, forget,
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
