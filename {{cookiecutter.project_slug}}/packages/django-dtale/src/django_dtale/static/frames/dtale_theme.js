// The theme of D-Tale's page is that of the system: choose it before the page is drawn, and
// when the system changes it.
"use strict";

if (document.body.classList.contains("system-mode")) {
  const isDark = matchMedia("(prefers-color-scheme: dark)");
  const field = document.getElementById("theme");
  const BUSY = "input:focus, textarea:focus, .modal.show, .side-panel-content.is-expanded";
  const DELAY = 500; // Milliseconds. A page that is being left must not load again instead.
  let shown;
  const apply = () => {
    shown = isDark.matches ? "dark" : "light";
    document.body.classList.remove("system-mode", "light-mode", "dark-mode");
    document.body.classList.add(`${shown}-mode`);
    if (field) field.value = shown;
  };
  // The grid draws its cells in the theme that it has read from the field. Loading it again
  // would lose what somebody is typing.
  const reload = () => {
    const isShown = shown === (isDark.matches ? "dark" : "light");
    if (!isShown && !document.querySelector(BUSY)) location.reload();
  };
  apply();
  isDark.addEventListener("change", () => (field ? setTimeout(reload, DELAY) : apply()));
}
