// What the pages need beyond htmx: copying, the focus after a swap, Escape, `/`, and a word when
// no answer comes. It writes no HTML and has no sentence of its own: those are in base.html.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("announcement").textContent = text; };

  async function copy(button) {
    const source = byId(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      tell(button, document.body.dataset.copied);
    } catch { // no permission, or no TLS: the text is marked for the person to copy it
      getSelection().selectAllChildren(source);
      tell(button, document.body.dataset.copyYourself);
    }
  }

  // Say it on the button for a moment, and aloud.
  function tell(button, text) {
    const label = button.firstChild;
    say(text);
    clearTimeout(button.restoring);
    button.dataset.label ??= label.textContent;
    label.textContent = text;
    button.restoring = setTimeout(() => { label.textContent = button.dataset.label; }, 2000);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && !typing) {
      const question = event.target.closest("[data-escape]") || document.querySelector("[data-escape]");
      if (question) document.querySelector(question.dataset.escape).click();
    }
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const box = byId("q");
      const elsewhere = document.querySelector("a[data-search]");
      if (!box && !elsewhere) return;
      event.preventDefault();
      if (box) box.select(); else location.href = `${elsewhere.href}#q`;
    }
  });

  document.querySelector(".noscript").remove();

  if (location.hash === "#q") byId("q")?.select();

  let asker = null;

  document.addEventListener("htmx:before:request", (event) => {
    asker = document.activeElement;
    byId("notice").replaceChildren();
    say(event.target.dataset.underway || "");
  });

  // The focus goes to what the answer asks for, and else to what took the place of the one who had it.
  document.addEventListener("htmx:after:swap", (event) => {
    const target = event.detail.ctx.target;
    const place = byId(typeof target === "string" ? target.slice(1) : target.id);
    const wanted = document.querySelector("[data-focus]") || (asker?.isConnected ? null : place);
    if (!wanted) return;
    wanted.removeAttribute("data-focus");
    wanted.focus();
  });

  // A button that was disabled while it waited lost the focus; it gets it back if it is still there.
  document.addEventListener("htmx:finally:request", () => {
    queueMicrotask(() => {
      if (document.activeElement === document.body && asker?.isConnected) asker.focus();
    });
  });

  document.addEventListener("htmx:error", () => {
    byId("notice").replaceChildren(byId("no-answer").content.cloneNode(true));
  });
})();
