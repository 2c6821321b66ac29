/* One clip, many sounds: the picture runs on, the sound is switched at its place. The search tabs and the arena use it.

     const player = mvPlayer.create({ pictures: () => [video, ...], failed: (error) => ... });
     player.load({ duration_s, together, sounding, levels })  another clip; everything of the last one is let go
     player.audition({ key, sound, stream, start_s, gain_db })  address of an excerpt from start_s on, or of the whole track,
                                                       which is brought to the excerpts' loudness by so many dB
       picture, length_s, from_s, ready(), show()      where each has a picture of its own: its name and length, the second of
                                                       the music under its first, the promise that it can be shown, and what
                                                       shows it. The music runs on under it
     player.prepare(track)                             one that streams is fetched ahead
     player.play() pause() toggle() seek(s) position() playing() current()
     player.own("mute" | "mix" | "duck")               the clip's own sound, heard at once
     player.onTime((position_s, passed_ms) => ...), player.onState(() => ...)

   The audio clock leads and the picture follows (follow()). `audition` switches at once when the sound is there; of
   several calls the last one wins. `together` starts all sounds of a clip at one time and only moves their gains, so
   that a switch cannot be told from the signal. */
(() => {
  "use strict";
  const FADE_S = 0.012, AHEAD_S = 0.03, FOLLOW_MS = 200, SMALL_S = 0.025, LARGE_S = 0.25, JUMP_S = 0.3;
  const MOST_STREAMS = 4;  /* the one that is heard, the one that fades, two neighbours */
  let context;
  const players = new Set();
  const audioContext = () => (context ||= new AudioContext({ latencyHint: "interactive" }));
  /* what is heard now, not what was scheduled: the output has latency */
  const latency = () => (context ? context.outputLatency || context.baseLatency || 0 : 0);
  const decibels = (db) => 10 ** (db / 20);
  const now = () => (context ? context.currentTime : 0);

  /* a picture follows the sound: gently by its speed, by a jump when it is far off; one that loops may be a round off */
  const chase = (video, target, round_s) => {
    if (video.seeking) return;
    let late = video.currentTime - target;
    if (round_s && Math.abs(late) > round_s / 2) late -= Math.sign(late) * round_s;
    if (Math.abs(late) > LARGE_S) video.currentTime = Math.max(0, target);
    video.playbackRate = Math.abs(late) > SMALL_S ? Math.min(1.08, Math.max(0.92, 1 - late)) : 1;
  };

  /* an element that is paused while it begins has not failed */
  const unless_stopped = (failed) => (error) => { if (error.name !== "AbortError") failed(error); };

  const create = ({ pictures, failed }) => {
    const streams = new Map();  /* key -> voice, in the order of their last use */
    let clip = { duration_s: 0 }, voices = new Map(), current = null, mode = "mute";
    let playing = false, starting = false, startedAt = 0, offset = 0, timer = 0, round = 0, wanted = 0;
    let bus, ownGain;
    const owns = new WeakMap();  /* video -> the gain of its own sound */
    const onTime = new Set(), onState = new Set();
    const changed = () => onState.forEach((told) => told());
    const length = () => (current && current.length_s) || clip.duration_s;
    const position = () => {
      if (!playing) return offset;
      const element = current && current.element;
      return element ? element.currentTime - current.start_s : context.currentTime - startedAt - latency();
    };

    /* ---- voices: one source and one gain each ---- */
    const output = () => {
      if (!bus) { bus = audioContext().createGain(); bus.connect(context.destination); }
      return bus;
    };
    const silence = (voice) => {
      if (voice.element) voice.element.pause();
      if (!voice.source) return;
      voice.source.onended = null;
      try { voice.source.stop(); } catch (error) { if (error.name !== "InvalidStateError") throw error; }
      voice.source = null;
    };
    const begin = (voice, at, asked, volume) => {
      const from = Math.max(0, asked); // just after a start the position still lies before it, by the latency
      voice.gain = context.createGain();
      voice.gain.gain.value = volume * voice.level;
      voice.gain.connect(output());
      if (voice.element) {
        voice.node ||= context.createMediaElementSource(voice.element);
        voice.node.disconnect();
        voice.node.connect(voice.gain);
        join(voice, from);
        voice.element.play().catch(unless_stopped(failed));
        return;
      }
      voice.source = context.createBufferSource();
      voice.source.buffer = voice.buffer;
      voice.source.connect(voice.gain);
      voice.source.start(at, from);
    };
    /* a track that is shorter than the clip starts over, so it may be in any of its rounds */
    const join = (voice, from) => {
      const place = (voice.asked_s + from) % (voice.element.duration || Infinity);
      voice.start_s = place - from;
      voice.element.currentTime = place;
    };
    const ramp = (voice, volume, at) => {
      voice.gain.gain.cancelScheduledValues(at);
      voice.gain.gain.setTargetAtTime(volume * voice.level, at, FADE_S / 3);
    };
    const watchEnd = () => { if (current && current.source) current.source.onended = again; };

    /* ---- the clip's own sound, at the levels of the export ---- */
    const attachOwn = () => {
      const video = pictures()[0];
      if (!clip.sounding || !video) return;
      ownGain = owns.get(video);
      if (ownGain) return;
      ownGain = context.createGain();
      ownGain.gain.value = Number(!current);  /* under music it comes in as it is set */
      owns.set(video, ownGain);
      context.createMediaElementSource(video).connect(ownGain).connect(context.destination);
    };
    const applyOwn = (at) => {
      if (!bus) return;
      const levels = clip.levels, heard = levels && mode !== "mute" && current;
      if (ownGain) ownGain.gain.setTargetAtTime(!current ? 1 : heard ? decibels(levels.own_db) : 0, at, FADE_S / 3);
      bus.gain.cancelScheduledValues(0);
      const music = heard && mode === "mix" ? decibels(levels.mix_db) : 1;
      if (!heard || mode !== "duck" || !playing) { bus.gain.setTargetAtTime(music, at, FADE_S / 3); return; }
      const from = Math.max(0, at - startedAt), first = Math.floor(from / levels.hop_s);
      const curve = Float32Array.from(levels.duck_db.slice(first), decibels);
      bus.gain.setTargetAtTime(curve.length ? curve[0] : 1, at, FADE_S / 3);
      if (curve.length > 1) bus.gain.setValueCurveAtTime(curve, at + FADE_S, (curve.length - 1) * levels.hop_s);
    };

    /* ---- play, pause, seek ---- `round` is of the call that asked: a later one makes it stop */
    const play = async () => {
      const mine = ++round;
      starting = true;
      try {
        await audioContext().resume();
        if (mine !== round) return;
        if (offset >= length() - 0.05) offset = 0;
        playing = false;  /* until the sound begins again, the place is `offset` */
        voices.forEach(silence);
        quiet(self);
        attachOwn();
        await Promise.all(pictures().map((video) => {
          if (Math.abs(video.currentTime - offset) > 0.01) video.currentTime = offset;
          return video.play();
        }));
      } catch (error) {
        if (mine === round) throw error;
      } finally {
        if (mine === round) starting = false;
      }
      if (mine !== round || !current) return;
      const at = context.currentTime + AHEAD_S;
      (clip.together ? [...voices.values()] : [current]).forEach((voice) => begin(voice, at, offset, Number(voice === current)));
      watchEnd();
      startedAt = at - offset;
      playing = true;
      applyOwn(at);
      clearInterval(timer);
      let last = performance.now();
      timer = setInterval(() => {
        const tick = performance.now();
        follow();
        onTime.forEach((told) => told(position(), tick - last));
        last = tick;
      }, FOLLOW_MS);
      changed();
    };
    const pause = () => {
      round += 1;
      if (!playing && !starting) return;
      starting = false;
      offset = Math.max(0, Math.min(position(), length()));
      playing = false;
      clearInterval(timer);
      voices.forEach(silence);
      pictures().forEach((video) => { video.pause(); video.playbackRate = 1; });
      changed();
    };
    const seek = (to) => {
      const was = playing;
      offset = Math.max(0, Math.min(to, length()));
      if (was) return play().catch(failed);
      pictures().forEach((video) => { video.currentTime = offset; });
      return undefined;
    };
    const again = () => { pause(); offset = 0; play().catch(failed); };

    const follow = () => {
      const target = position();
      if (current && current.element && target >= length() - 0.05) return again();
      pictures().forEach((video) => chase(video, target));
      return undefined;
    };

    /* ---- switching ---- */
    /* the picture runs on; where another picture comes, the music does, if it is heard at that moment there, too */
    const under = (old, voice, at) => {
      if (!old || old.picture === voice.picture) return at;
      const there = at + old.from_s - voice.from_s;
      return there >= 0 && there < voice.length_s - 0.05 ? there : 0;
    };
    const swap = (voice) => {
      const old = current, at = now(), here = old && old.element ? position() : 0;
      current = voice;
      if (voice.show) voice.show();
      if (clip.together) voices.forEach((one) => one.gain && ramp(one, Number(one === voice), at));
      else if (playing && old !== voice) {
        const soon = at + 0.005, from = under(old, voice, old && old.element ? here : soon - startedAt);
        startedAt = soon - from;
        if (voice.picture !== old.picture) {
          attachOwn();
          pictures().forEach((video) => { video.currentTime = from; video.play().catch(unless_stopped(failed)); });
        }
        silence(voice);
        begin(voice, soon, from, 0);
        ramp(voice, 1, soon);
        watchEnd();
        if (old && old.gain) {
          ramp(old, 0, soon);
          if (old.source) { old.source.onended = null; old.source.stop(soon + 5 * FADE_S); old.source = null; }
          if (old.element) setTimeout(() => current !== old && old.element.pause(), 60);
        }
        applyOwn(soon);
      }
      if (!playing) {
        const video = pictures()[0];
        if (old && old.picture !== voice.picture) offset = under(old, voice, offset);
        else if (video && !video.paused) offset = video.currentTime;  /* it ran alone: the sound joins it */
        return play();
      }
      changed();
      return undefined;
    };
    const prepare = (track) => {
      const voice = streams.get(track.key) || opened(track);
      streams.delete(track.key);
      streams.set(track.key, voice);
      for (const [key, old] of streams) {
        if (streams.size <= MOST_STREAMS) break;
        if (old === current) continue;
        streams.delete(key);
        close(old);
      }
      return voice;
    };
    const opened = (track) => {
      const element = new Audio(track.stream);
      Object.assign(element, { preload: "auto", currentTime: track.start_s });
      const voice = { ...track, element, asked_s: track.start_s, level: decibels(track.gain_db || 0) };
      element.addEventListener("ended", () => {
        if (current !== voice || !playing) return;
        voice.start_s -= element.duration;
        element.currentTime = 0;
        element.play().catch(unless_stopped(failed));
      });
      return voice;
    };
    const close = ({ element }) => { element.pause(); element.removeAttribute("src"); element.load(); };
    const loaded = (element) => element.readyState >= 2 ? Promise.resolve() : new Promise((done, fail) => {
      if (element.error) fail(new Error(mvTexts.sound_lost));
      element.addEventListener("loadeddata", done, { once: true });
      element.addEventListener("error", () => fail(new Error(mvTexts.sound_lost)), { once: true });
    });
    const decoded = (track, buffer) => ({ ...track, buffer, level: 1 });
    const prepared = async (track) => {
      const streaming = track.sound ? null : prepare(track);
      const sound = streaming ? loaded(streaming.element) : mvSounds.load(track.sound);
      const [buffer] = await Promise.all([sound, track.ready && track.ready()]);
      return streaming || decoded(track, buffer);
    };
    const audition = (track) => {
      const mine = ++wanted;
      audioContext().resume();  /* within the gesture */
      const known = voices.get(track.key);
      if (known) return Promise.resolve(swap(known)).then(() => true);
      const ready = track.sound && !track.ready && mvSounds.ready(track.sound);
      const take = (voice) => {
        if (mine !== wanted) return false;
        voices.forEach((one, key) => { if (!clip.together && one !== current) { silence(one); voices.delete(key); } });
        voices.set(track.key, voice);
        return Promise.resolve(swap(voice)).then(() => true);
      };
      return ready ? take(decoded(track, ready)) : prepared(track).then(take);
    };
    const add = (key, buffer) => voices.set(key, { key, buffer, start_s: 0, level: 1 });

    const load = (next) => {
      pause();
      wanted += 1;
      voices.forEach(silence);
      streams.forEach(close);
      streams.clear();
      [clip, voices, current, offset] = [next, new Map(), null, 0];
      if (next.mode) mode = next.mode;
    };
    const own = (to) => { mode = to || mode; if (context) applyOwn(now() + 0.005); };

    /* what somebody does with the video's own controls */
    const moved = (event) => {
      const video = event.target;
      if (!current || !pictures().includes(video)) return;
      if (event.type === "seeking") {
        if (starting) return;
        if (!playing) offset = video.currentTime;
        else if (Math.abs(video.currentTime - position()) > JUMP_S) seek(video.currentTime);
      } else if (event.type === "pause" && playing && !video.ended) pause();
      else if (event.type === "play" && !playing && !starting) { offset = video.ended ? 0 : video.currentTime; play().catch(failed); }
    };
    for (const name of ["seeking", "pause", "play"]) document.addEventListener(name, moved, true);

    const self = {
      load, add, audition, prepare, play, pause, seek, position, own, follow,
      toggle: () => (playing ? pause() : play()),
      playing: () => playing,
      current: () => current && current.key,
      onTime: (told) => onTime.add(told),
      onState: (told) => onState.add(told),
      pictures,
    };
    players.add(self);
    return self;
  };

  /* starting one stops everything else that sounds */
  const quiet = (keep) => {
    players.forEach((player) => player !== keep && player.pause());
    const mine = keep ? keep.pictures() : [];
    document.querySelectorAll("audio, video").forEach((media) => !media.muted && !media.paused && !mine.includes(media) && media.pause());
  };
  document.addEventListener("play", (event) => {
    const media = event.target;
    if (media.muted) return;
    players.forEach((player) => !player.pictures().includes(media) && player.pause());
  }, true);

  window.mvPlayer = { create, chase, quiet, audioContext };
})();
