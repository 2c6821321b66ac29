/* The search tabs' stage: a click, Q, W or an arrow key puts a track (or a picture) of the list on the clip. The rows
   and the stage are the server's HTML and may be drawn anew at any time: everything is found when it is needed. */
(() => {
  "use strict";
  const texts = window.mvTexts;
  const all = (selector, root) => (root ? Array.from(root.querySelectorAll(selector)) : []);
  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  const LONGEST_DECODED_S = 50;  /* as the server's excerpts */
  const SETTLED_MS = 400;  /* a place that is left sooner is none */
  const tabs = new Map();  /* direction -> its audition */
  let touched_at = 0;  /* when somebody last did anything, ms */
  for (const name of ["pointerdown", "touchmove", "wheel", "keydown"])
    addEventListener(name, () => { touched_at = performance.now(); }, { passive: true, capture: true });

  const create = (direction, tab) => {
    const panel = () => document.getElementById(`mv-tab-${tab}`);
    const stage = () => panel() && panel().querySelector(".mv-stage[data-clip]");
    const rows = () => all(`#mv-results-${direction} .mv-row[data-id]`, document);
    const rowOf = (id) => rows().find((row) => row.dataset.id === id);
    const part = (name) => stage() && stage().querySelector(`[data-part="${name}"]`);
    let fitted = false, planned = "";  /* whether the fitted music is heard; the plan that was shown last */
    let held = null;  /* from where the chosen one is heard, whatever the server draws: that is taken away, too */
    let chosen = null, coming = null, early = null, clip = "", listed = "", led = "", drawn = "", drawn_at = 0, turn = 0;

    const failed = (error) => {
      coming = null;
      const line = part("now");
      if (line) { line.hidden = false; line.dataset.kind = "error"; part("title").textContent = error.message; part("from").textContent = ""; }
      paint();
    };
    const music = direction === "v2m";
    const screen = music ? null : mvPictures.create(() => stage().querySelector(".mv-screen"));
    const player = mvPlayer.create({ pictures: () => all(music ? ".mv-screen video" : ".mv-screen video.is-on", stage()), failed });
    player.onState(() => paint());
    let loaded = {};  /* what the player knows of the clip */
    /* the server's plan, if it is of the track that is heard */
    const plan = () => {
      const box = panel() && panel().querySelector(".mv-plan[data-fit]");
      return box && box.dataset.fit === chosen ? box : null;
    };
    /* how long the picture is that a row is heard with */
    const length = (row) => Number(music ? stage() && stage().dataset.duration : row.dataset.duration);
    const fittedTrack = (box, row) => ({
      key: `fitted ${box.dataset.key}`, sound: length(row) <= LONGEST_DECODED_S ? box.dataset.sound : "", stream: box.dataset.sound, start_s: 0,
    });
    /* a found track and its level, or the music that asks */
    const streamed = (row) => (music ? { stream: row.dataset.stream, gain_db: Number(row.dataset.gain) }
      : { stream: stage().querySelector("audio").src, gain_db: Number(stage().dataset.gain) });
    const pictured = (row) => (music ? {} : {
      picture: row.dataset.id, length_s: length(row),
      ready: () => screen.ready(row.dataset.stream), show: () => screen.show(row.dataset.stream, row.dataset.name),
    });
    const excerpt = (row) => row.dataset.excerpts && `${row.dataset.excerpts}from-${row.dataset.from}.flac`;
    const written = new Set();  /* excerpts that are too long to be decoded, and can be streamed by now */
    const track = (row) => {
      const box = fitted && row.dataset.id === chosen && plan(), from_s = Number(row.dataset.from), exact = excerpt(row);
      if (!box && written.has(exact))
        return { key: `=${row.dataset.id} ${row.dataset.from}`, sound: "", stream: exact, start_s: 0, from_s, ...pictured(row) };
      const plain = { key: `${row.dataset.sound ? "" : "~"}${row.dataset.id} ${row.dataset.from}`, sound: row.dataset.sound, start_s: from_s, from_s };
      return { ...(box ? fittedTrack(box, row) : { ...plain, ...streamed(row) }), ...pictured(row) };
    };

    /* what is chosen is the last clip's as long as the next one is not on the stage, though its list is there */
    const isChosen = (row) => row.dataset.id === chosen && Boolean(stage());

    /* ---- what is seen of it ---- */
    const paint = () => {
      const playing = player.playing();
      const here = stage();
      rows().forEach((row) => {
        const on = isChosen(row);
        row.classList.toggle("is-heard", on);
        row.classList.toggle("is-coming", row.dataset.id === coming);
        if (on) row.setAttribute("aria-current", "true"); else row.removeAttribute("aria-current");
        const button = row.querySelector("[data-hear]");
        if (button) button.setAttribute("aria-pressed", String(on && playing));
      });
      if (!here) return;
      const box = panel().querySelector(".mv-take");
      all("[data-event=download], [data-event=fit]", box).forEach((button) => {
        button.disabled = !chosen;
        const row = chosen && rowOf(chosen), taken = fitted && button.dataset.event === "download";
        if (row) button.dataset.id = taken ? `${chosen}@fit` : row.dataset.moved ? `${chosen}@${row.dataset.from}` : chosen;
        const why = box.querySelector(".mv-why");
        if (why) why.hidden = Boolean(chosen);
      });
      all("[data-step='0']", here).forEach((button) => {
        button.setAttribute("aria-pressed", String(playing));
        button.setAttribute("aria-label", playing ? texts.pause : texts.play);
      });
      here.classList.toggle("is-on", Boolean(chosen));
      paintPlan(box);
      shrink();
    };
    const paintPlan = (take) => {
      const box = plan(), typed = take && take.querySelector("[name=hit]");
      all(".mv-plan[data-fit]", take).forEach((one) => { one.hidden = one !== box; });
      all("[data-fit-choice]", box || undefined).forEach((button) => {
        button.setAttribute("aria-pressed", String((button.dataset.fitChoice === "fit") === fitted));
      });
      const struck = typed && typed.value.trim() ? Number(typed.value.replace(",", ".")) : NaN;
      mvStrip.draw(part("strip"), chosen && rowOf(chosen), {
        moved: moveTo, struck: Number.isFinite(struck) ? struck : null, pieces: fitted && box ? JSON.parse(box.dataset.pieces) : null,
        hit: (second) => { if (typed) { typed.closest("details").open = true; typed.value = second.toFixed(2); paint(); } },
      });
    };
    /* the fitted music, or the plain cut */
    const useFit = (wanted) => {
      const row = chosen && rowOf(chosen);
      if (!row || !plan()) return;
      fitted = wanted;
      announce(row);
      Promise.resolve(player.audition(track(row))).then(paint).catch(failed);
    };
    const announce = (row) => {
      const line = part("now");
      line.hidden = false;
      line.dataset.kind = "";
      part("title").textContent = row.dataset.name;
      part("from").textContent = fitted ? texts.fitted : mvWords("from", { at: clock(Number(row.dataset.from)) });
    };

    const hold = (row) => { held = { from: row.dataset.from, sound: row.dataset.sound, moved: row.dataset.moved }; };
    /* the row begins where the music is heard, and says so */
    const begin = (row, from, sound) => {
      Object.assign(row.dataset, { from, sound, moved: "1" });
      const at = Number(from), start = at < 0.5 ? texts.from_beginning : mvWords("from", { at: clock(at) });
      row.querySelector("[data-part=begins]").textContent = music ? start : mvWords("music_starts", { start });
      row.querySelector(".mv-because").title = "";  /* of the start that it had */
      all("[data-part=placed]", row).forEach((placed) => { placed.textContent = ""; });
      hold(row);
    };

    /* the music was dragged, or a place was chosen: it streams from there at once, at the level of the whole track, until the
       excerpt from there is made, which is on the download's */
    const moveTo = (id, start_s) => {
      const row = rowOf(id);
      if (!row || id !== chosen) return;
      const from = start_s.toFixed(3);
      fitted = false;
      begin(row, from, "");
      announce(row);
      Promise.resolve(player.audition(track(row))).then(paint).catch(failed);
      settle(id);
    };

    /* what streams is the whole track, at its level; the excerpt, which is on the download's and starts over as that does,
       takes its place as soon as it is made */
    const settle = (id) => {
      const row = rowOf(id), from = row && row.dataset.from, address = row && excerpt(row);
      if (!address) return;
      const long = length(row) > LONGEST_DECODED_S;
      const here = () => chosen === id && held.from === from && !fitted && rowOf(id);
      setTimeout(() => here() && (long ? write(address) : mvSounds.load(address)).then(async () => {
        const now = here();
        if (!now || !player.playing() || (long && player.current() === track(now).key)) return undefined;
        if (!long) begin(now, from, address);
        if (long) await at(player.prepare(track(now)).element, player.position() + 0.2);
        return here() && player.playing() ? player.audition(track(now)) : undefined;
      }).catch(failed), SETTLED_MS);
    };
    const write = async (address) => {
      if (written.has(address)) return;
      const response = await mvSounds.ask(address, { method: "HEAD" });
      if (!response.ok) throw new Error(texts.sound_lost);
      written.add(address);
    };
    const at = (element, second) => new Promise((done) => {
      for (const name of ["canplay", "seeked", "error"]) element.addEventListener(name, done, { once: true });
      element.currentTime = second;
    });

    /* ---- choosing ---- */
    const hear = (row) => {
      if (isChosen(row) && !coming)
        return Promise.resolve(player.toggle()).then(() => row.dataset.sound || settle(row.dataset.id)).catch(failed);
      const id = row.dataset.id;
      if (id !== chosen) fitted = false;
      coming = id;
      if (!stage()) { early = id; paint(); return undefined; }  /* the clip is still being made playable */
      chosen = id;
      hold(row);
      announce(row);
      paint();
      if (!music) levels(row.dataset.levels, () => chosen === id);
      return Promise.resolve(player.audition(track(row)))
        .then((mine) => {
          if (!mine || coming !== id) return;
          coming = null;
          paint();
          ahead();
          if (!row.dataset.sound) settle(id);
        }).catch(failed);
    };
    const step = (by) => {
      const list = rows().filter((row) => !row.hidden);
      if (!list.length || !stage()) return undefined;
      const at = list.findIndex((row) => row.dataset.id === chosen);
      const row = list[at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by))];
      if (at >= 0 && row.dataset.id === chosen) return undefined;
      row.scrollIntoView({ block: "nearest" });
      return hear(row);
    };

    /* ---- fetched ahead: the neighbours first, then the list from its top, as long as there is room ---- */
    const ahead = async () => {
      const mine = ++turn, list = rows(), at = list.findIndex((row) => row.dataset.id === chosen);
      const near = [list[at + 1], list[at - 1]].filter(Boolean);
      if (!music) near.forEach((row) => screen.fetch(row.dataset.stream));
      near.filter((row) => !row.dataset.sound).forEach((row) => player.prepare(track(row)));
      const saves = navigator.connection && navigator.connection.saveData;
      for (const row of saves ? near : [...near, ...list]) {
        const sound = row.dataset.sound;
        if (!sound || mvSounds.has(sound)) continue;
        const bytes = length(row) * 48000 * 8;
        if (!near.includes(row) && mvSounds.room() < bytes) break;
        try { await mvSounds.load(sound); } catch (error) { row.dataset.lost = error.message; }
        if (mine !== turn) return;
      }
    };

    /* ---- the server drew something anew ---- */
    const react = () => {
      const here = stage();
      /* the next clip is on its way, and nothing that is seen would stop the sound of the last one */
      if (!here && player.playing() && panel() && panel().querySelector(".mv-stage-wait")) player.pause();
      if (here && here.dataset.clip !== clip) {
        clip = here.dataset.clip;
        chosen = coming = null;
        fitted = false;
        takeClip(here);
        const waiting = early && rowOf(early);
        early = null;
        if (waiting) hear(waiting);
      } else if (here && early) early = coming = null;  /* the next clip was given up */
      const ids = rows().map((row) => row.dataset.id).join(" ");
      if (ids !== drawn) { drawn = ids; drawn_at = performance.now(); }
      const now = rows().map((row) => row.dataset.id + row.dataset.from).join(" ") + clip;
      if (now !== listed) {
        listed = now;
        if (here && chosen && rows().length && !rowOf(chosen)) chosen = null;
        if (here && rows().length) ahead();
        if (here && rows().length && clip !== led) { led = clip; lead(); }
      }
      const kept = here && chosen && rowOf(chosen);
      if (kept && held && (kept.dataset.from !== held.from || kept.dataset.moved !== held.moved)) begin(kept, held.from, held.sound);
      if (!chosen) fitted = false;
      const box = plan(), known = box ? box.dataset.key : planned, fresh = known !== planned;
      if (fresh) { planned = known; useFit(true); } else if (!box) fitted = false;
      paint();
      if (fresh) box.scrollIntoView({ block: "nearest" });  /* whoever asked for it reads it: it comes below the fold */
    };
    /* on a phone: a small player at the bottom as soon as the stage is scrolled away; its place is kept */
    /* where the list is below the fold of a small screen, its first row comes into sight once, when the clip is there, too;
       whoever scrolled, pressed or touched anything since the list is there has found it: the page stays where they are */
    const lead = () => {
      const first = rows()[0].getBoundingClientRect();
      if (!shown_() || touched_at > drawn_at || (first.top >= 0 && first.bottom <= innerHeight)) return;
      rows()[0].scrollIntoView({ block: "start" });
    };
    const narrow = matchMedia("(max-width: 860px)");
    const shrink = () => {
      const here = stage();
      if (!here) return;
      const box = here.closest(".mv-stage-box") || here.parentElement;
      const mini = here.classList.contains("is-mini");
      const at = box.getBoundingClientRect();
      const away = narrow.matches && (chosen || mini) && shown_() && (at.bottom < 60 || at.top > innerHeight - 60);
      if (Boolean(away) === mini) return;
      box.style.minHeight = away ? `${box.offsetHeight}px` : "";
      here.classList.toggle("is-mini", Boolean(away));
    };
    const shown_ = () => panel() && panel().offsetParent !== null;
    addEventListener("scroll", shrink, { passive: true, capture: true });
    addEventListener("resize", shrink);
    const takeClip = (here) => {
      const mode = (panel().querySelector(".mv-take input[type=radio]:checked") || {}).value || "mute";
      loaded = { duration_s: Number(here.dataset.duration), mode, sounding: true };
      player.load(loaded);
      if (screen) screen.clear();
      levels(here.dataset.levels, () => here.dataset.clip === clip);
    };
    /* at which the picture's own sound and the music are mixed, as long as it is the one that is seen */
    const levels = (address, wanted) => {
      delete loaded.levels;
      if (!address) return;
      mvSounds.ask(address).then((answer) => (answer.ok ? answer.json() : null))
        .then((found) => { if (!found || !wanted()) return; loaded.levels = found; player.own(null); }).catch(failed);
    };
    /* a start that was refined meanwhile: the row stays where it is, and so does what is heard */
    const refine = (row, now) => {
      if (row.dataset.timing === now.timing && row.dataset.from === now.from) return;
      if (now.timing) row.dataset.timing = now.timing;
      if (row.dataset.moved) return;
      if (isChosen(row)) {
        if (row.dataset.from !== now.from) begin(row, row.dataset.from, row.dataset.sound);
        return;
      }
      Object.assign(row.dataset, { from: now.from, start: now.start, sound: now.sound, excerpts: now.excerpts });
      for (const name of ["why", "begins", "placed"]) {
        const words = row.querySelector(`[data-part=${name}]`);
        if (words) words.textContent = now[name];
      }
      row.querySelector(".mv-because").title = now.placed;
      const wave = row.querySelector(".mv-wave"), seek = row.querySelector(".mv-seek"), media = row.querySelector("audio, video");
      if (seek && !(media && media.dataset.begun)) {
        const at = clock(Number(now.start));
        seek.value = now.start;
        seek.setAttribute("aria-valuetext", `${at} of ${clock(Number(row.dataset.duration))}`);
        row.querySelector(".mv-time").textContent = at;
      }
      if (wave) { wave.style.setProperty("--from", `${now.wave[0]}%`); wave.style.setProperty("--to", `${now.wave[1]}%`); }
    };
    let asking = null;
    const ask = async (place) => {
      if (asking === place) return;
      asking = place;
      while (asking === place && place.isConnected) {
        let told = null;
        try {
          const answer = await fetch(place.dataset.measuring);
          const busy = answer.status === 429 || answer.status === 503;  /* asked again, or the starts would never come */
          told = answer.ok ? await answer.json() : { done: !busy, said: "", rows: {}, wait_ms: 5000 };
        } catch (error) { told = { done: false, said: texts.no_answer, rows: {} }; }
        if (asking !== place || !place.isConnected) return;
        place.hidden = !told.said;
        if (place.textContent !== told.said) place.textContent = told.said;
        const seen = stage() && stage().querySelector(".mv-seen");
        if (seen && told.seen && seen.textContent !== told.seen) seen.textContent = told.seen;
        rows().forEach((row) => { if (told.rows[row.dataset.id]) refine(row, told.rows[row.dataset.id]); });
        if (Object.keys(told.rows).length) react();
        if (told.done) { place.dataset.measured = "done"; return; }
        await new Promise((next) => { setTimeout(next, told.wait_ms || (told.said ? 1000 : 300)); });
      }
    };
    const watch = () => {
      const place = document.querySelector(`#mv-results-${direction} [data-measuring]`);
      if (place) ask(place);
    };
    return { panel, rows, rowOf, hear, step, useFit, paint, player, react: () => { react(); watch(); }, stage, shown: shown_ };
  };

  const shown = () => [...tabs.values()].find((one) => one.shown());
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-hear], [data-step], [data-save]");
    const here = button && shown();
    if (!here) return;
    if ("save" in button.dataset) here.panel().querySelector("[data-event=download]").click();
    else if (button.dataset.hear) here.hear(button.closest(".mv-row"));
    else if (button.dataset.step === "0") Promise.resolve(here.player.current() === null ? here.step(1) : here.player.toggle());
    else here.step(Number(button.dataset.step));
  });
  document.addEventListener("change", (event) => {
    const here = event.target.closest && event.target.closest(".mv-take") && shown();
    if (here && ["mute", "mix", "duck"].includes(event.target.value)) here.player.own(event.target.value);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest && event.target.closest("[data-fit-choice]");
    if (button) shown().useFit(button.dataset.fitChoice === "fit");
  });
  document.addEventListener("input", (event) => {  /* the hit that is typed is marked on the time line */
    if (event.target.matches && event.target.matches(".mv-fitting [name=hit]")) shown().paint();
  });
  const KEYS = { q: -1, w: 1, ArrowUp: -1, ArrowDown: 1 };
  document.addEventListener("keydown", (event) => {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const here = shown();
    if (!here || !(key in KEYS) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key.length === 1 && localStorage.getItem("mv_keys") === "off") return;
    const at = event.target;
    if (at.closest("input:not([type=radio]):not([type=checkbox]):not([type=range]), textarea, select, [contenteditable=true]")) return;
    if (key.length > 1 && !at.closest(".mv-row, .mv-stage")) return;
    if (key.length > 1 && at.closest("input, audio, video")) return;
    event.preventDefault();
    here.step(KEYS[key]);
  });

  window.mvAudition = { tabs, react: () => tabs.forEach((one) => one.react()), shown };
  tabs.set("v2m", create("v2m", "video-to-music"));
  tabs.set("m2v", create("m2v", "music-to-video"));
})();
