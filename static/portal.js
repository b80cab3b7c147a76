// What the pages need beyond htmx: copying, the focus after a swap, Escape, and a word when the
// portal cannot be reached. Nothing here writes HTML.
(() => {
  "use strict";

  const byId = (id) => document.getElementById(id);
  const say = (text) => { byId("announcement").textContent = text; };

  async function copy(button) {
    const source = byId(button.dataset.copy);
    const label = button.firstChild;
    try {
      await navigator.clipboard.writeText(source.textContent);
      say("Copied");
      if (!button.dataset.label) {
        button.dataset.label = label.textContent;
        label.textContent = "Copied";
        setTimeout(() => { label.textContent = button.dataset.label; delete button.dataset.label; }, 2000);
      }
    } catch {
      getSelection().selectAllChildren(source);
      say("Press Ctrl+C to copy");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const question = event.target.closest("[data-escape]") || document.querySelector("[data-escape]");
      if (question) document.querySelector(question.dataset.escape)?.click();
    }
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && byId("q")) {
      event.preventDefault();
      byId("q").select();
    }
  });

  document.addEventListener("htmx:before:request", () => { byId("notice").replaceChildren(); });

  document.addEventListener("htmx:after:settle", () => {
    const wanted = document.querySelector("[data-focus]");
    if (!wanted) return;
    wanted.removeAttribute("data-focus");
    wanted.focus();
  });

  document.addEventListener("htmx:error", () => {
    const text = "Keydesk could not be reached. Check the connection, reload the page, and look at the order history before you try again.";
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent = text;
    byId("notice").replaceChildren(notice);
  });
})();
