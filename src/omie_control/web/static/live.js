// Three small things: hints from the server make the page re-read itself, ages tick, filters send themselves.
// Without this file every page still works; it is then as fresh as its last reload.
(() => {
  "use strict";

  const PAUSE_MS = 400;
  const FALLBACK_MS = 5000;
  const body = document.body;
  const link = document.getElementById("ligacao");

  // --- re-reading: at once, then at most every PAUSE_MS, and always once after the last hint
  let last = 0;
  let waiting = 0;
  let isOwed = false;
  const reread = () => {
    if (waiting) return;
    waiting = setTimeout(() => {
      waiting = 0;
      last = Date.now();
      const panel = document.getElementById("painel");
      isOwed = Boolean(panel) && isBusy(panel);
      if (panel && !isOwed) htmx.trigger(panel, "hint");
    }, Math.max(0, last + PAUSE_MS - Date.now()));
  };

  // Somebody who is choosing in a list or reading selected text must not lose it to a refresh.
  const isBusy = (panel) => {
    const focused = document.activeElement;
    const isChoosing = focused && panel.contains(focused) && /^(SELECT|INPUT)$/.test(focused.tagName);
    const selection = document.getSelection();
    return isChoosing || (selection && !selection.isCollapsed && panel.contains(selection.anchorNode));
  };

  // What was held back is read as soon as they are done: the hint that was missed may have been the last one.
  for (const name of ["selectionchange", "focusout"]) document.addEventListener(name, () => { if (isOwed) reread(); });

  // --- hints
  let source = null;
  let fallback = 0;
  const say = (state) => {
    if (!link || link.dataset.state === state) return;
    link.dataset.state = state;
    const name = "text" + state[0].toUpperCase() + state.slice(1);
    link.querySelector(".link-text").textContent = link.dataset[name] || "";
  };
  const open = () => {
    if (source || !body.dataset.live) return;
    source = new EventSource(body.dataset.live);
    source.addEventListener("aberto", () => { say("vivo"); stopFallback(); reread(); });
    source.addEventListener("mudou", (event) => {
      say("vivo");
      const only = body.dataset.liveOnly;
      if (!only || JSON.parse(event.data).execution_id === only) reread();
    });
    source.addEventListener("voltou", () => { say("vivo"); reread(); });
    source.addEventListener("consulte", () => { say("consulta"); reread(); });
    source.addEventListener("fim", () => location.reload());
    source.addEventListener("error", () => {
      say("fora");
      startFallback();
      if (source && source.readyState === EventSource.CLOSED) { source = null; setTimeout(open, FALLBACK_MS); }
    });
  };
  const shut = () => { if (source) { source.close(); source = null; } stopFallback(); };
  const startFallback = () => { if (!fallback) fallback = setInterval(reread, FALLBACK_MS); };
  const stopFallback = () => { clearInterval(fallback); fallback = 0; };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { shut(); say("pausa"); } else { open(); }
  });
  addEventListener("pagehide", shut);

  // --- ages
  const format = (ms) => {
    const seconds = Math.max(0, Math.floor(ms / 1000));
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
    return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")} min`;
  };
  const tick = () => {
    for (const age of document.querySelectorAll("time[data-since]")) {
      age.textContent = format(Date.now() - Date.parse(age.dataset.since));
    }
  };
  setInterval(() => { if (!document.hidden) tick(); }, 1000);
  document.addEventListener("htmx:after:swap", tick);

  // --- a notice above the page goes when the page could be read again
  document.addEventListener("htmx:after:request", (event) => {
    const response = event.detail && event.detail.ctx && event.detail.ctx.response;
    const notice = document.getElementById("aviso");
    if (notice && response && response.status < 400) notice.replaceChildren();
  });

  // --- filters
  document.addEventListener("change", (event) => {
    const form = event.target.closest && event.target.closest("form[data-auto-submit]");
    if (form) form.requestSubmit();
  });
  document.addEventListener("formdata", (event) => {
    if (event.target.method !== "get") return;
    for (const [name, value] of [...event.formData]) if (!value) event.formData.delete(name);
  });

  tick();
  if (body.dataset.live) open(); else if (link) link.hidden = true;
})();
