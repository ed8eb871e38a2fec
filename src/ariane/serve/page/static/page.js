/* What the page adds where scripts run: what was looked at is told to the feed of a remembered,
   personalised reader; menus close when one taps elsewhere. Everything else works without. */
"use strict";

(() => {
  const LEAST = 1000; // milliseconds from which a card counts as seen
  const SHARE = 0.5; // of a card, or of the window where the card is taller
  const PAUSE = 5000;
  const since = new Map(); // card → when it came into view
  const waiting = new Map(); // request → place → seconds

  function tell() {
    for (const [request, places] of waiting) {
      const body = new URLSearchParams({ request });
      for (const [place, seconds] of places) body.append(place, seconds.toFixed(1));
      navigator.sendBeacon("/seen", body);
    }
    waiting.clear();
  }

  function left(card) {
    const began = since.get(card);
    since.delete(card);
    if (began === undefined || card.dataset.told) return;
    const passed = performance.now() - began;
    if (passed < LEAST) return;
    card.dataset.told = "true";
    const request = card.closest("[data-request]")?.dataset.request;
    if (request === undefined) return; // it gave way to what was done to it
    if (!waiting.has(request)) waiting.set(request, new Map());
    waiting.get(request).set(card.dataset.place, passed / 1000);
  }

  const watch = new IntersectionObserver(
    (entries) => {
      for (const { target, intersectionRatio, intersectionRect, rootBounds } of entries) {
        const tall = rootBounds !== null && intersectionRect.height >= rootBounds.height * SHARE;
        if (intersectionRatio >= SHARE || tall) {
          if (!since.has(target)) since.set(target, performance.now());
        } else left(target);
      }
    },
    { threshold: [0, 0.25, SHARE, 0.75] },
  );

  const observe = (root) =>
    root.querySelectorAll("[data-request] [data-place]").forEach((card) => watch.observe(card));

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") return;
    for (const card of [...since.keys()]) left(card);
    tell();
  });
  setInterval(tell, PAUSE);
  observe(document);
  document.addEventListener("htmx:load", (event) => {
    observe(event.detail.elt.parentElement ?? document);
    event.detail.elt.querySelector("[autofocus]")?.focus({ preventScroll: true });
  });

  const menus = "details.menu[open], details.who[open], details.more[open]";
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll(menus))
      if (!menu.contains(event.target) || event.target.closest(".sheet button")) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(menus)) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
