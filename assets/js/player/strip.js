/* Two time lines under the picture: the clip's cuts and change above; the music's beats, sections and loudness below, and
   the whole track with the part that is heard. Dragging moves the music: it snaps to beats, with Alt it is free.

     mvStrip.draw(place, row, moved)   `row.dataset.timing` is the server's JSON; moved(start_s) is called on release */
(() => {
  "use strict";
  const NS = "http://www.w3.org/2000/svg", WIDE = 1000, CLIP = 40, MUSIC = 44, TRACK = 26, GAP = 4, NEAR_S = 0.08;
  const node = (name, values, parent) => {
    const made = document.createElementNS(NS, name);
    Object.entries(values).forEach(([key, value]) => made.setAttribute(key, value));
    if (parent) parent.appendChild(made);
    return made;
  };
  const area = (curve, x, top, high) => {
    if (!curve.length) return "";
    const points = curve.map((value, n) => `${x(n).toFixed(1)},${(top + high * (1 - value / 100)).toFixed(1)}`);
    return `M${x(0).toFixed(1)},${top + high}L${points.join("L")}L${x(curve.length - 1).toFixed(1)},${top + high}Z`;
  };
  const nearest = (times, to) => times.reduce((best, time) => (Math.abs(time - to) < Math.abs(best - to) ? time : best), Infinity);
  const words = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  const draw = (place, row, moved) => {
    if (!place) return;
    const given = row && row.dataset.timing;
    if (!given) { place.replaceChildren(); place.dataset.drawn = ""; return; }
    const key = row.dataset.id + row.dataset.from + given.length;
    if (place.dataset.drawn === key && place.firstChild) return;
    place.dataset.drawn = key;
    const { clip, music, placed } = JSON.parse(given), texts = window.mvTexts;
    const high = CLIP + MUSIC + TRACK + 2 * GAP, latest = Math.max(0, music.duration_s - clip.duration_s);
    const scale = WIDE / clip.duration_s, all = WIDE / music.duration_s;
    let start = Number(row.dataset.from);
    const svg = node("svg", { viewBox: `0 0 ${WIDE} ${high}`, class: "mv-strip", preserveAspectRatio: "none", role: "img", "aria-label": texts.strip });
    node("path", { d: area(clip.curve, (n) => (n / clip.rate_hz) * scale, 0, CLIP), class: "mv-strip-change" }, svg);
    clip.cuts_s.forEach((cut) => node("line", { x1: cut * scale, x2: cut * scale, y1: 0, y2: CLIP, class: "mv-strip-cut" }, svg));
    const low = CLIP + GAP, track = low + MUSIC + GAP;
    const clipped = node("svg", { x: 0, y: low, width: WIDE, height: MUSIC, class: "mv-strip-music" }, svg);
    const moving = node("g", {}, clipped);
    node("rect", { x: 0, y: 0, width: music.duration_s * scale, height: MUSIC, class: "mv-strip-back" }, moving);
    node("path", { d: area(music.curve, (n) => (n / music.rate_hz) * scale, 0, MUSIC), class: "mv-strip-loud" }, moving);
    music.beats_s.forEach((beat) => node("line", { x1: beat * scale, x2: beat * scale, y1: MUSIC - 9, y2: MUSIC, class: "mv-strip-beat" }, moving));
    music.downbeats_s.forEach((beat) => node("line", { x1: beat * scale, x2: beat * scale, y1: MUSIC - 18, y2: MUSIC, class: "mv-strip-beat" }, moving));
    music.sections_s.forEach((part) => node("line", { x1: part * scale, x2: part * scale, y1: 0, y2: MUSIC, class: "mv-strip-part" }, moving));
    const whole = node("g", { class: "mv-strip-track" }, svg);
    node("rect", { x: 0, y: track, width: WIDE, height: TRACK, class: "mv-strip-back" }, whole);
    node("path", { d: area(music.curve, (n) => (n / music.rate_hz) * all, track, TRACK), class: "mv-strip-loud" }, whole);
    music.sections_s.forEach((part) => node("line", { x1: part * all, x2: part * all, y1: track, y2: track + TRACK, class: "mv-strip-part" }, whole));
    const heard = node("rect", { y: track, width: Math.min(WIDE, clip.duration_s * all), height: TRACK, class: "mv-strip-heard" }, whole);
    const line = document.createElement("p"), said = document.createElement("span"), best = document.createElement("span");
    line.className = "mv-strip-line";
    best.className = "mv-strip-places";
    const show = () => {
      moving.setAttribute("transform", `translate(${-start * scale} 0)`);
      heard.setAttribute("x", start * all);
      const near = clip.cuts_s.filter((cut) => Math.abs(nearest(music.beats_s, cut + start) - cut - start) <= NEAR_S).length;
      const share = clip.cuts_s.length && music.beats_s.length ? words(texts.near_beats, { share: Math.round((100 * near) / clip.cuts_s.length), random: placed.random }) : "";
      said.textContent = `${words(texts.music_from, { at: start.toFixed(2) })} ${start === placed.start_s ? placed.words : ""} ${share}`.replace(/ +/g, " ");
    };
    const to = (value, free) => {
      const bound = Math.min(latest, Math.max(0, value)), beat = nearest(music.beats_s, bound);
      start = free || !Number.isFinite(beat) || beat > latest || Math.abs(beat - bound) > 0.5 ? bound : beat;
      show();
    };
    const drag = (part, seconds) => part.addEventListener("pointerdown", (down) => {
      const from = start, wide = svg.getBoundingClientRect().width;
      let gone = false;
      part.setPointerCapture(down.pointerId);
      const move = (event) => { gone = true; to(from + seconds((event.clientX - down.clientX) / wide), event.altKey); };
      const done = () => {
        ["pointermove", "pointerup", "pointercancel"].forEach((name, n) => part.removeEventListener(name, n ? done : move));
        if (gone) moved(start);
      };
      part.addEventListener("pointermove", move);
      part.addEventListener("pointerup", done);
      part.addEventListener("pointercancel", done);
      down.preventDefault();
    });
    drag(clipped, (share) => -share * clip.duration_s);
    drag(whole, (share) => share * music.duration_s);
    placed.places_s.forEach((at, n) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.place = at;
      button.textContent = words(texts.place, { number: n + 1, at: at.toFixed(1) });
      button.addEventListener("click", () => { start = at; show(); moved(start); });
      best.appendChild(button);
    });
    line.append(said, best);
    place.replaceChildren(svg, line);
    show();
  };
  window.mvStrip = { draw };
})();
