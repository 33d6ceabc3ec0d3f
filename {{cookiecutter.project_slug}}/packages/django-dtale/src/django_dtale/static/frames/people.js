// Suggest people for the last name in a field, which contains names separated by commas. The
// field and its list follow the ARIA pattern of a combobox. Without this script, users type
// whole names.
"use strict";

for (const box of document.querySelectorAll("[data-people]")) {
  const field = box.querySelector("input");
  const list = document.createElement("ul");
  const status = document.createElement("p");
  const DELAY = 150; // Milliseconds without typing, before the server is asked.
  let timer = 0;
  let asked = ""; // The text whose suggestions are expected or shown.
  let active = -1;

  list.id = `${field.id}-people`;
  list.role = "listbox";
  list.hidden = true;
  list.setAttribute("aria-label", box.querySelector("label").textContent);
  status.className = "unseen";
  status.role = "status";
  field.after(list, status);
  field.role = "combobox";
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);

  const parts = () => {
    const at = field.value.lastIndexOf(",") + 1;
    return [field.value.slice(0, at), field.value.slice(at).trim()];
  };

  function mark(index) {
    active = index;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", at === index));
    const option = list.children[index];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  function show(people) {
    list.replaceChildren(
      ...people.map(({ name, label }, at) => {
        const option = document.createElement("li");
        option.id = `${list.id}-${at}`;
        option.role = "option";
        option.textContent = label;
        option.dataset.name = name;
        return option;
      }),
    );
    list.hidden = !people.length;
    field.setAttribute("aria-expanded", !list.hidden);
    mark(-1);
  }

  function close() {
    clearTimeout(timer);
    asked = "";
    status.textContent = "";
    show([]);
  }

  function choose(option) {
    const [before] = parts();
    field.value = `${before}${before && " "}${option.dataset.name}, `;
    field.focus();
    close();
  }

  async function ask() {
    const text = (asked = parts()[1]);
    if (text.length < 2) return close();
    const answer = await fetch(`${box.dataset.people}?q=${encodeURIComponent(text)}`).catch(() => null);
    if (text !== asked) return; // The user has typed more in the meantime.
    const people = answer?.ok ? (await answer.json()).people : [];
    if (text !== asked) return;
    show(people);
    status.textContent = people.length ? box.dataset.found + people.length : box.dataset.none;
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, DELAY);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (list.hidden) return;
    if (event.key === "ArrowDown") mark((active + 1) % count);
    else if (event.key === "ArrowUp") mark((Math.max(active, 0) + count - 1) % count);
    else if (event.key === "Enter" && active >= 0) choose(list.children[active]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  // The field keeps the focus when an option is clicked.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) choose(option);
  });
  field.addEventListener("blur", close);
  close();
}
