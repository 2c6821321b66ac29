/* Two time lines under the picture: the clip's cuts and change above; the music's beats, sections and loudness below, and
   the whole track with the part that is heard. Dragging or the arrow keys move the music: it snaps to beats, with Alt it
   is free. A click on the clip's line names the second that fitted music is to hit.

     mvStrip.draw(place, row, { moved, hit, struck, pieces })
       row.dataset.timing   the server's JSON
       moved(start_s)       called on release; hit(second) on a click on the clip's line
       struck, pieces       the second that is to be hit, and [start, source start, length] of each piece of fitted music */
(() => {
  "use strict";
  const NS = "http://www.w3.org/2000/svg", WIDE = 1000, CLIP = 40, MUSIC = 44, TRACK = 26, GAP = 4, NEAR_S = 0.08;
  const FREE_S = 0.1, KEY_MS = 350, OVER_S = 2, FAINT_END = 0.05, MOST_ROUNDS = 400;
  const node = (name, values, parent) => {
    const made = document.createElementNS(NS, name);
    Object.entries(values).forEach(([key, value]) => made.setAttribute(key, value));
    if (parent) parent.appendChild(made);
    return made;
  };
  const line = (x, top, bottom, kind, parent) => node("line", { x1: x, x2: x, y1: top, y2: bottom, class: `mv-strip-${kind}` }, parent);
  const area = (curve, x, top, high) => {
    if (!curve.length) return "";
    const points = curve.map((value, n) => `${x(n).toFixed(1)},${(top + high * (1 - value / 100)).toFixed(1)}`);
    return `M${x(0).toFixed(1)},${top + high}L${points.join("L")}L${x(curve.length - 1).toFixed(1)},${top + high}Z`;
  };
  const nearest = (times, to) => times.reduce((best, time) => (Math.abs(time - to) < Math.abs(best - to) ? time : best), Infinity);
  const words = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  /* the music's own line, from its first second on, `scale` wide per second */
  const musicLine = (music, scale, parent) => {
    const group = node("g", {}, parent);
    node("rect", { x: 0, y: 0, width: music.duration_s * scale, height: MUSIC, class: "mv-strip-back" }, group);
    node("path", { d: area(music.curve, (n) => (n / music.rate_hz) * scale, 0, MUSIC), class: "mv-strip-loud" }, group);
    music.beats_s.forEach((beat) => line(beat * scale, MUSIC - 9, MUSIC, "beat", group));
    music.downbeats_s.forEach((beat) => line(beat * scale, MUSIC - 18, MUSIC, "beat", group));
    music.sections_s.forEach((part) => line(part * scale, 0, MUSIC, "part", group));
    return group;
  };

  /* what is drawn in each place. A start that moved is shown in it; while a hand or a key holds it, nothing is drawn anew */
  const drawings = new WeakMap();
  const release = (drawn) => {
    const waiting = drawn.waiting;
    drawn.held = false;
    drawn.waiting = null;
    if (waiting) waiting();
  };

  const draw = (place, row, act) => {
    if (!place) return;
    const given = row && row.dataset.timing, last = drawings.get(place), { struck = null, pieces = null } = act;
    /* held by a hand, unless another clip has come under it: then the hand is never seen to let go */
    if (last && last.held && place.firstChild) { last.waiting = () => draw(place, row, act); return; }
    if (!given) { place.replaceChildren(); drawings.delete(place); return; }
    const key = [row.dataset.id, struck, pieces && pieces.join(), given].join(" ");
    if (last && last.key === key && place.firstChild) { Object.assign(last.act, act); last.at(Number(row.dataset.from)); return; }
    const drawn = { key, act: { ...act }, held: false, waiting: null };
    drawings.set(place, drawn);
    const moved = () => drawn.act.moved(row.dataset.id, start);
    const focused = place.contains(document.activeElement) && document.activeElement.getAttribute("role") === "slider";
    const { clip, music, placed } = JSON.parse(given), texts = window.mvTexts, onBeats = placed.on_beats;
    const high = CLIP + MUSIC + TRACK + 2 * GAP, spare = music.duration_s - clip.duration_s;
    /* a track that is hardly longer than the clip starts over, so it may begin anywhere */
    const over = spare < 2, latest = over ? Math.max(0, music.duration_s - 1) : spare, beats = music.beats_s;
    /* what is heard of it from a start on, as the export lays it: [place under the clip, in the track, length], with joins in
       the middle of their crossfades */
    const rounds = (from) => {
      const half = Math.min(OVER_S, (music.duration_s - from) / 2, music.duration_s / 2) / 2, all_of = [];
      const faint = FAINT_END * Math.min(OVER_S, clip.duration_s / 4);  /* of the fade-out, which need not be filled */
      for (let at = 0, source = from; at < clip.duration_s - faint - 1e-6 && all_of.length < MOST_ROUNDS; source = half) {
        const left = clip.duration_s - at, last = source + left <= music.duration_s + faint + 1e-6;
        all_of.push([at, source, last ? Math.min(left, music.duration_s - source) : music.duration_s - half - source]);
        at += all_of[all_of.length - 1][2];
      }
      return all_of;
    };
    const scale = WIDE / clip.duration_s, all = WIDE / music.duration_s;
    let start = Number(row.dataset.from), fit = pieces;  /* fitted music that is moved is the track again */
    const first = () => (fit ? fit[0][1] : start);
    const svg = node("svg", { viewBox: `0 0 ${WIDE} ${high}`, class: "mv-strip", preserveAspectRatio: "none", role: "group", "aria-label": texts.strip });
    const above = node("g", { class: "mv-strip-clip" }, svg);
    node("rect", { x: 0, y: 0, width: WIDE, height: CLIP, class: "mv-strip-bare" }, above);
    node("path", { d: area(clip.curve, (n) => (n / clip.rate_hz) * scale, 0, CLIP), class: "mv-strip-change" }, above);
    clip.cuts_s.forEach((cut) => line(cut * scale, 0, CLIP, "cut", above));
    node("title", {}, above).textContent = texts.strip_hit;
    if (struck !== null) line(struck * scale, 0, CLIP + GAP + MUSIC, "hit", svg);
    above.addEventListener("click", (event) => {
      const box = svg.getBoundingClientRect();
      drawn.act.hit(Math.min(clip.duration_s - 0.01, Math.max(0, (clip.duration_s * (event.clientX - box.left)) / box.width)));
    });

    const low = CLIP + GAP, track = low + MUSIC + GAP;
    const clipped = node("svg", { x: 0, y: low, width: WIDE, height: MUSIC, class: "mv-strip-music" }, svg);
    const moving = node("g", {}, clipped);
    musicLine(music, scale, moving);
    const laid = node("g", {}, clipped);
    /* fitted, or started over: each piece where it is heard */
    const lay = (parts) => {
      moving.remove();
      laid.replaceChildren();
      parts.forEach(([at, source, length]) => {
        const part = node("svg", { x: at * scale, y: 0, width: length * scale, height: MUSIC }, laid);
        const copy = part.appendChild(moving.cloneNode(true));
        copy.setAttribute("transform", `translate(${-source * scale} 0)`);
        if (at > 0) line(at * scale, 0, MUSIC, "join", laid);
      });
    };
    const whole = node("g", { class: "mv-strip-track" }, svg);
    node("rect", { x: 0, y: track, width: WIDE, height: TRACK, class: "mv-strip-back" }, whole);
    node("path", { d: area(music.curve, (n) => (n / music.rate_hz) * all, track, TRACK), class: "mv-strip-loud" }, whole);
    music.sections_s.forEach((part) => line(part * all, track, track + TRACK, "part", whole));
    const heard = node("g", {}, whole);
    /* every second of the track that is heard, once, however often it is */
    const shade = (parts) => {
      heard.replaceChildren();
      let until = 0;
      [...parts].sort((one, other) => one[1] - other[1]).forEach(([, source, length]) => {
        const from = Math.max(source, until), to = Math.min(source + length, music.duration_s);
        if (to <= from) return;
        node("rect", { x: from * all, y: track, width: (to - from) * all, height: TRACK, class: "mv-strip-heard" }, heard);
        until = to;
      });
      if (!fit && parts.length > 1) line(parts[0][1] * all, track, track + TRACK, "start", heard);
    };
    const below = document.createElement("p"), said = document.createElement("span"), best = document.createElement("span");
    below.className = "mv-strip-line";
    best.className = "mv-strip-places";
    const show = () => {
      clipped.setAttribute("aria-valuenow", first().toFixed(2));
      clipped.setAttribute("aria-valuetext", words(texts.strip_at, { at: first().toFixed(2) }));
      if (fit) { lay(fit); shade(fit); said.textContent = texts.fitted; return; }
      const parts = rounds(start), again = parts.length - 1;
      if (over) lay(parts);
      else {
        laid.replaceChildren();
        clipped.prepend(moving);
        moving.setAttribute("transform", `translate(${-start * scale} 0)`);
      }
      shade(parts);
      /* cuts after the music started over do not count: where beats lie then, its crossfade decides */
      const [, , run_s] = parts[0];
      const cuts = again ? clip.cuts_s.filter((cut) => cut <= run_s) : clip.cuts_s;
      const near = cuts.filter((cut) => Math.abs(nearest(beats, cut + start) - cut - start) <= NEAR_S).length;
      const random = onBeats && start === onBeats.start_s ? Math.round(100 * onBeats.random) : placed.random;
      /* of these two the server knows it from times that were not rounded */
      const known = start === placed.start_s ? placed.near : onBeats && start === onBeats.start_s ? Math.round(100 * onBeats.share) : null;
      const share = cuts.length && music.beats_s.length > 1 && random !== null
        ? words(texts.near_beats, { share: known ?? Math.round((100 * near) / cuts.length), random }) : "";
      const repeats = again ? words(again === 1 ? texts.starts_over_once : texts.starts_over, { count: again }) : "";
      said.textContent = [words(texts.music_from, { at: start.toFixed(2) }), repeats, start === placed.start_s ? placed.told : "", share].filter(Boolean).join(" · ");
    };
    drawn.at = (value) => { if (value !== start) { start = value; show(); } };
    const to = (value, free) => {
      const bound = Math.min(latest, Math.max(0, value)), beat = nearest(beats, bound);
      start = free || !Number.isFinite(beat) || beat > latest || Math.abs(beat - bound) > 0.5 ? bound : beat;
      fit = null;
      show();
    };

    /* ---- by hand: a finger or a mouse ---- */
    const drag = (part, seconds) => part.addEventListener("pointerdown", (down) => {
      if (down.button > 0) return;
      tell();
      const before = start, from = first(), wide = svg.getBoundingClientRect().width;
      let gone = false;
      drawn.held = true;
      part.setPointerCapture(down.pointerId);
      const move = (event) => { gone = true; to(from + seconds((event.clientX - down.clientX) / wide), event.altKey); };
      const done = (event) => {
        ["pointermove", "pointerup", "pointercancel"].forEach((name, n) => part.removeEventListener(name, n ? done : move));
        if (gone && event.type === "pointercancel") { start = before; fit = pieces; show(); } else if (gone) moved();
        release(drawn);
      };
      part.addEventListener("pointermove", move);
      part.addEventListener("pointerup", done);
      part.addEventListener("pointercancel", done);
      down.preventDefault();
      clipped.focus({ preventScroll: true });
    });
    drag(clipped, (share) => -share * clip.duration_s);
    drag(whole, (share) => share * music.duration_s);

    /* ---- by keyboard ---- */
    Object.entries({ tabindex: 0, role: "slider", "aria-label": texts.strip_move, "aria-valuemin": 0, "aria-valuemax": latest.toFixed(2) })
      .forEach(([name, value]) => clipped.setAttribute(name, value));
    let later = 0;
    /* what keys have moved is told a while after the last one, or before a hand goes on */
    const tell = () => {
      clearTimeout(later);
      if (later && svg.isConnected) moved();
      later = 0;
    };
    clipped.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const end = { Home: 0, End: latest }[event.key];
      if ((way === undefined && end === undefined) || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      const steps = beats.filter((beat) => (way > 0 ? beat > first() + 0.01 : beat < first() - 0.01) && beat <= latest);
      if (end !== undefined) to(end, true);
      else if (event.altKey || !steps.length) to(first() + way * FREE_S, true);
      else to(way > 0 ? steps[0] : steps[steps.length - 1], true);
      drawn.held = true;
      clearTimeout(later);
      later = setTimeout(() => { tell(); release(drawn); }, KEY_MS);
    });

    const offer = (at, shown, told, kind) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset[kind] = at;
      button.textContent = shown;
      button.title = told;
      button.setAttribute("aria-label", told);
      button.addEventListener("click", () => { start = at; fit = null; show(); moved(); });
      best.appendChild(button);
    };
    placed.places_s.forEach((at, n) => {
      const values = { number: n + 1, at: at.toFixed(2) };
      offer(at, words(texts.place, values), words(texts.place_told, values), "place");
      line(at * all, track, track + TRACK, "place", whole);
    });
    if (onBeats) offer(onBeats.start_s, texts.on_beats, words(texts.on_beats_told, {
      at: onBeats.start_s.toFixed(2), share: Math.round(100 * onBeats.share), random: Math.round(100 * onBeats.random) }), "onBeats");
    if (best.firstChild) best.prepend(texts.places);
    below.append(said, best);
    place.replaceChildren(svg, below);
    show();
    if (focused) clipped.focus({ preventScroll: true });
  };
  window.mvStrip = { draw };
})();
