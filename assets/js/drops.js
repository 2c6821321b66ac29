/* Files for an upload box that takes others just now. Gradio's box takes none then: what is dropped on it is opened by
   the browser in place of the page, and what its small button begins while it is emptied breaks it. They are held here
   and put into the box as soon as it is free. Beside the boxes files cannot be dropped, which would leave the page, too. */
(() => {
  "use strict";
  const held = new Map(); // box -> files
  const taking = new Map(); // box -> since when, and whether that was seen
  const LOOK_MS = 60;
  const UNSEEN_MS = 1500; // it refused them all
  let giving = false;
  let looking = 0;

  const boxOf = (event) => (event.target instanceof Element ? event.target.closest(".mv-upload") : null);
  const place = (box) => box.querySelector(".upload-container:not(.icon-mode)");
  const free = (box) => !taking.has(box) && !held.has(box) && place(box) !== null;

  const look = () => {
    for (const [box, one] of taking) {
      if (place(box) === null) one.seen = box.isConnected;
      else if (one.seen || performance.now() - one.since > UNSEEN_MS) taking.delete(box);
      if (!box.isConnected) taking.delete(box);
    }
    for (const box of [...held.keys()]) if (!taking.has(box) && place(box) !== null) give(box);
    if (!taking.size && !held.size) looking = void clearInterval(looking);
  };

  const take = (box) => {
    taking.set(box, { since: performance.now(), seen: false });
    looking = looking || setInterval(look, LOOK_MS);
  };

  const give = (box) => {
    const files = new DataTransfer();
    held.get(box).forEach((file) => files.items.add(file));
    held.delete(box);
    say(box);
    const input = place(box).querySelector("input[type=file]");
    input.files = files.files;
    take(box);
    giving = true;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    giving = false;
  };

  /* a box for one file takes the latest */
  const hold = (box, files, many) => {
    held.set(box, many ? [...(held.get(box) ?? []), ...files] : files.slice(-1));
    say(box);
    looking = looking || setInterval(look, LOOK_MS);
  };

  const say = (box) => {
    const line = box.parentElement.querySelector(":scope > .mv-held") ?? document.createElement("p");
    Object.assign(line, { className: "mv-hint mv-held", role: "status" });
    box.after(line);
    const count = held.get(box)?.length ?? 0;
    line.textContent = count ? mvWords("held", { count }) : "";
    line.hidden = !count;
  };

  document.addEventListener("change", (event) => {
    const box = boxOf(event);
    if (giving || !box || event.target.type !== "file" || !event.target.files.length) return;
    if (free(box)) return void take(box);
    event.stopImmediatePropagation();
    hold(box, [...event.target.files], event.target.multiple);
  }, true);

  const brings = (event) => event.dataTransfer?.types.includes("Files");

  document.addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    if (!boxOf(event)) event.dataTransfer.dropEffect = "none";
  }, true);

  document.addEventListener("drop", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    const box = boxOf(event);
    const files = [...event.dataTransfer.files];
    if (!box || !files.length) return;
    if (free(box) && place(box).contains(event.target)) return void take(box);
    event.stopImmediatePropagation();
    hold(box, files, box.classList.contains("mv-many"));
  }, true);
})();
