// Keeps a page alive: polling panels, their errors, copying. Everything works without it, only less
// comfortably; all data comes from the server as HTML.
import "./chart.js";
import "./copy.js";

const panelOf = (event) => event.target.closest?.("[data-panel]");

// A hidden tab asks nothing, and nobody's reading is disturbed: a chart under the pointer or with
// the keyboard on it is left alone until the next round.
document.addEventListener("htmx:beforeRequest", (event) => {
  const panel = panelOf(event);
  if (!panel) return;
  const busy = panel.hasAttribute("data-calm") && panel.matches(":hover, :focus-within");
  const asked = event.detail.requestConfig?.triggeringEvent?.type === "retry";
  if (!asked && (document.hidden || busy)) event.preventDefault();
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    const error = panelOf(event)?.querySelector(".panel-error");
    if (error) error.hidden = false;
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-retry]");
  if (button) window.htmx.trigger(button.closest("[data-panel]"), "retry");
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
