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

  // What a person has typed into a question is not lost to one key.
  const holdsText = (question) => [...question.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value.trim());

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      const question = event.target.closest("[data-escape]") || (!typing && document.querySelector("[data-escape]"));
      if (question && !holdsText(question)) document.querySelector(question.dataset.escape).click();
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
  let underway = "";
  let mayHaveChanged = false;

  // What the page asks by itself takes nothing from under a person's hands: it waits while a
  // question is open, says nothing when it fails, and leaves the focus where it is.
  const isByItself = (event) => event.detail.ctx?.sourceElement?.id === "progress";
  const isAsked = () => document.querySelector(".question");
  let place = null;

  document.addEventListener("htmx:before:swap", (event) => {
    if (!isByItself(event)) return;
    place = document.activeElement.closest(".item");
    if (isAsked() || event.detail.ctx.response.status >= 400) event.preventDefault();
  });

  document.addEventListener("htmx:before:request", (event) => {
    if (isByItself(event)) {
      if (isAsked() || document.hidden) event.preventDefault();
      return;
    }
    asker = document.activeElement;
    if (asker === byId("q")) asker.select(); // what is typed next is the next search
    byId("notice").replaceChildren();
    underway = event.target.dataset.underway || "";
    mayHaveChanged = event.target.matches("[hx-post]:not([role=search])");
    say(underway);
  });

  // The focus goes to what the answer asks for, and else to what took the place of the one who had it.
  document.addEventListener("htmx:after:swap", (event) => {
    if (isByItself(event)) {
      if (document.activeElement === document.body) place?.focus({ preventScroll: true });
      return;
    }
    const target = event.detail.ctx.target;
    const swapped = byId(typeof target === "string" ? target.slice(1) : target.id);
    const [first, ...others] = document.querySelectorAll("[data-focus]");
    const wanted = first || (asker?.isConnected ? null : swapped);
    for (const element of [first, ...others]) element?.removeAttribute("data-focus");
    wanted?.focus();
    // A live region that comes together with its text is often not read out: ours was there before.
    const result = swapped?.querySelector("[data-say]");
    if (result) say(result.textContent);
  });

  // A button that was disabled while it waited lost the focus; it gets it back if it is still there.
  document.addEventListener("htmx:finally:request", (event) => {
    if (isByItself(event)) return;
    if (underway && byId("announcement").textContent === underway) say(""); // the notice says how it ended
    queueMicrotask(() => {
      if (document.activeElement === document.body && asker?.isConnected) asker.focus();
    });
  });

  // A session ends by the clock. Whoever comes back to a page hears of it before they type.
  const { session } = document.body.dataset;
  const sessionEnds = Date.now() + 1000 * session;
  const clock = session && setInterval(lookAtTheClock, 60_000);

  function lookAtTheClock() {
    if (Date.now() < sessionEnds || byId("notice").hasChildNodes()) return;
    byId("notice").replaceChildren(byId("session-over").content.cloneNode(true));
    clearInterval(clock);
  }

  function sayThatNoAnswerCame() {
    say("");
    const words = byId(mayHaveChanged ? "no-answer" : "no-answer-to-question");
    byId("notice").replaceChildren(words.content.cloneNode(true));
  }

  document.addEventListener("htmx:error", (event) => {
    if (!isByItself(event)) sayThatNoAnswerCame();
  });

  // A reverse proxy answers by itself while the portal starts again: its page is no part of ours.
  document.addEventListener("htmx:before:response", (event) => {
    if (event.detail.ctx.response.headers.get("X-Written-By") === "Keydesk") return;
    event.preventDefault();
    if (!isByItself(event)) sayThatNoAnswerCame();
  });
})();
