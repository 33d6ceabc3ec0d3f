// The preview of a file, updated as soon as an option is changed. Without this script, a
// button updates it. Only the parts with data-live are replaced, so text that someone is
// typing is kept, and the focus does not move.
"use strict";

{
  const form = document.querySelector("form[data-opens]");
  const status = document.getElementById("preview-status");
  const button = form.querySelector("button[name=show]");
  let running = null;

  const replace = (fresh) => {
    const focused = document.activeElement?.id;
    const { scrollLeft = 0, scrollTop = 0 } = form.querySelector(".rows-of-file") ?? {};
    for (const part of form.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      if (next) part.replaceChildren(...next.childNodes);
    }
    form.querySelector(".rows-of-file")?.scrollTo(scrollLeft, scrollTop);
    if (focused && document.activeElement?.id !== focused) {
      document.getElementById(focused)?.focus({ preventScroll: true });
    }
  };

  const update = async () => {
    running?.abort();
    const { signal } = (running = new AbortController());
    const preview = document.getElementById("preview");
    preview.setAttribute("aria-busy", "true");
    status.textContent = form.dataset.updating;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form, button)),
        signal,
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.getElementById("preview")) throw new Error(`status ${answer.status}`);
      replace(page);
      status.textContent = document.getElementById("first-rows")?.textContent ?? "";
    } catch (error) {
      if (error.name === "AbortError") return;
      status.textContent = form.dataset.notUpdated;
      status.classList.remove("unseen");
      button.hidden = false;
    }
    preview.removeAttribute("aria-busy");
  };

  const isChanged = (field) => {
    if (field.matches("select")) {
      return [...field.options].some((option) => option.selected !== option.defaultSelected);
    }
    // A checkbox without a value has the value "on", which is not its default value.
    if (field.matches("[type=checkbox], [type=radio]")) {
      return field.checked !== field.defaultChecked;
    }
    return field.value !== field.defaultValue;
  };

  button.hidden = true;
  form.addEventListener("change", update);
  // Enter in a text field updates the preview. It does not press a button.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    event.preventDefault();
    update();
  });
  // Users can change an option before this script runs, and browsers restore changed
  // options when users come back to the page.
  if ([...form.querySelectorAll("select, input")].some(isChanged)) update();
}
