/* Sound and picture of the vote widget. Sound comes from WebAudio buffers that all start at once; their gains are
   switched. The audio clock leads, the picture follows: see follow(). */
(() => {
  "use strict";
  const state = window.mvArena;
  const { base, root, part, paint, gate, failed } = window.mvArenaParts;
  const FADE_S = 0.012, FOLLOW_MS = 200, SMALL_S = 0.025, LARGE_S = 0.25;

  let context, sources = [], gains = [], startedAt = 0, offset = 0, timer = 0, round = 0;
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

  /* `round` is of the call that asked: who pauses or plays again while this one waits makes it stop */
  const play = async () => {
    const mine = ++round;
    await audioContext().resume();
    if (mine !== round) return;
    if (offset >= duration() - 0.05) offset = 0;
    stopSources();
    document.querySelectorAll("audio, video").forEach((m) => !m.muted && m.pause());
    try {
      await Promise.all(videos().map((video) => { video.currentTime = offset; return video.play(); }));
    } catch (error) {
      if (mine === round) throw error;
    }
    if (mine !== round) return;
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
    round += 1;
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
    videos().forEach((video) => {
      const late = video.currentTime - target;
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
    videos().forEach((video, n) => video.classList.toggle("is-on", videos().length === 1 || n === side));
    if (!state.playing) play().catch(failed); else paint();
  };

  /* Fetch what a battle plays. `turn` is of the call that asked: false if a later one came meanwhile, so that two never mix */
  const load = async (battle, turn) => {
    offset = 0;
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
    if (turn !== state.turn) return false;
    state.buffers = buffers;
    await Promise.all(videos().map((video) => video.readyState >= 3 || new Promise((done, fail) => {
      video.addEventListener("canplay", done, { once: true });
      video.addEventListener("error", () => fail(new Error("The clip of this battle could not be loaded. Try again.")), { once: true });
    })));
    return turn === state.turn;
  };

  Object.assign(window.mvArenaParts, { audioContext, load, play, pause, choose });
})();
