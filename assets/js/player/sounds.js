/* Decoded sounds by address: fetched once, decoded once, at most 60 MB; the ones unused longest go first. */
(() => {
  "use strict";
  const MOST_BYTES = 60e6;
  const kept = new Map();  /* address -> { buffer, bytes }, in the order of their last use */
  const coming = new Map();  /* address -> promise */
  let total = 0, decoder;

  const size = (buffer) => buffer.length * buffer.numberOfChannels * 4;
  const touch = (address) => {
    const found = kept.get(address);
    if (!found) return undefined;
    kept.delete(address);
    kept.set(address, found);
    return found.buffer;
  };
  const keep = (address, buffer) => {
    kept.set(address, { buffer, bytes: size(buffer) });
    total += size(buffer);
    for (const [old, { bytes }] of kept) {
      if (total <= MOST_BYTES || kept.size < 2) break;
      kept.delete(old);
      total -= bytes;
    }
  };
  /* decoding needs no gesture this way, and no running context */
  const decode = (bytes) => (decoder ||= new OfflineAudioContext(2, 1, 48000)).decodeAudioData(bytes);

  /* where no server answers, the browser's own words tell nobody what to do */
  const ask = (address, how) => fetch(address, how).catch(() => { throw new Error(mvTexts.sound_lost); });

  const load = (address) => {
    const found = touch(address);
    if (found) return Promise.resolve(found);
    if (!coming.has(address)) {
      coming.set(address, (async () => {
        try {
          const response = await ask(address);
          if (!response.ok) throw new Error((await response.text()).slice(0, 300) || mvTexts.sound_lost);
          const buffer = await decode(await response.arrayBuffer());
          keep(address, buffer);
          return buffer;
        } finally { coming.delete(address); }
      })());
    }
    return coming.get(address);
  };

  window.mvSounds = {
    ask, load, ready: touch, has: (address) => kept.has(address), bytes: () => total, room: () => MOST_BYTES - total,
    MOST_BYTES,
  };
})();
