// The lists of tables: search while typing, more rows while scrolling, checkboxes, menus,
// and renaming in place. Without this script, forms and links do the same with pages.
// The listeners are on the document, because the lists are replaced by searching.
"use strict";

{
  const search = document.getElementById("search");
  const fetchPage = async (url, signal) => {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  };

  // Checkboxes -------------------------------------------------------------------------

  const updateChosen = (form) => {
    const boxes = [...form.elements].filter((field) => field.name === "table");
    const all = form.querySelector("[data-all]");
    const count = boxes.filter((box) => box.checked).length;
    all.checked = count > 0 && count === boxes.length;
    all.indeterminate = count > 0 && !all.checked;
    form.classList.toggle("some", count > 0);
    for (const button of form.querySelectorAll("button")) button.disabled = !count;
    // More rows may follow, which are not selected.
    const label = form.querySelector("[data-some]");
    label.dataset.all ??= label.textContent;
    const isAll = !form.parentElement.querySelector(".pages [rel]");
    label.textContent = isAll
      ? label.dataset.all
      : label.dataset.some.replace("COUNT", boxes.length);
  };
  const updateAll = () => document.querySelectorAll("form.chosen").forEach(updateChosen);

  document.addEventListener("change", ({ target }) => {
    if (!target.form?.matches(".chosen")) return;
    if ("all" in target.dataset) {
      for (const field of target.form.elements) {
        if (field.name === "table") field.checked = target.checked;
      }
    }
    updateChosen(target.form);
  });
  // Browsers restore checkboxes when users come back to the page.
  window.addEventListener("pageshow", updateAll);
  updateAll();

  // More rows --------------------------------------------------------------------------

  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting) loadMore(entry.target);
      }
    },
    { rootMargin: "1000px" },
  );

  const observe = () => {
    observer.disconnect();
    for (const link of document.querySelectorAll(".lists [rel=next]")) observer.observe(link);
  };

  const loadMore = async (link) => {
    observer.unobserve(link);
    const list = link.closest("[id$=-list]");
    const page = await fetchPage(link.href).catch(() => null);
    // A search may have replaced the list. After an error, the link is still there.
    if (!page || !link.isConnected) return;
    const next = page.getElementById(list.id);
    const known = new Set([...list.querySelectorAll("[name=table]")].map((box) => box.value));
    // Tables that were opened meanwhile have moved between the pages.
    const rows = [...next.querySelectorAll("tbody tr")].filter(
      (row) => !known.has(row.querySelector("[name=table]").value),
    );
    list.querySelector("tbody").append(...rows);
    const following = next.querySelector("[rel=next]");
    list.querySelector(".pages span").remove();
    list.querySelector(".pages").append(document.createElement("span"));
    if (following) link.replaceWith(following);
    else link.remove();
    updateAll();
    observe();
  };

  // Search -----------------------------------------------------------------------------

  let running = null;
  let timer = 0;

  const find = async () => {
    running?.abort();
    running = new AbortController();
    const url = new URL(location.href);
    for (const name of ["page", "shared", "q"]) url.searchParams.delete(name);
    if (search.value.trim()) url.searchParams.set("q", search.value.trim());
    const page = await fetchPage(url, running.signal).catch(() => null);
    if (!page) return;
    for (const id of ["page-list", "shared-list", "layouts"]) {
      const fresh = page.getElementById(id);
      if (fresh) document.getElementById(id).replaceChildren(...fresh.childNodes);
    }
    history.replaceState(null, "", url);
    const counts = [...document.querySelectorAll(".lists [data-count]")];
    const nothing = document.querySelector("#page-list .empty")?.firstChild.textContent;
    document.getElementById("found").textContent =
      counts.map((form) => form.dataset.count).join(", ") || nothing?.trim();
    updateAll();
    observe();
  };

  search?.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, 200);
  });
  search?.form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    find();
  });
  observe();

  // Those who have more tables than a page shows usually search for one. Focusing the field
  // makes typing a search without a shortcut of a single character, which speech input could
  // press by accident (WCAG 2.1.4). On a touch screen, it would open the keyboard.
  if (
    document.querySelector("#page-list .pages [rel]") &&
    document.activeElement === document.body &&
    matchMedia("(hover: hover) and (pointer: fine)").matches
  ) {
    search.focus({ preventScroll: true });
  }

  // Keys and menus ---------------------------------------------------------------------

  const closeMenus = (except) => {
    for (const menu of document.querySelectorAll(".menu[open]")) {
      if (menu !== except) menu.open = false;
    }
  };

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.(".menu[open]");
    closeMenus();
    menu?.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => closeMenus(event.target.closest(".menu")));

  // Rename -----------------------------------------------------------------------------

  const rename = (link) => {
    const row = link.closest("tr");
    const name = row.querySelector(".name");
    const form = document.createElement("form");
    const field = document.createElement("input");
    const problem = document.createElement("p");
    field.value = link.dataset.rename;
    field.placeholder = name.textContent;
    field.setAttribute("aria-label", link.textContent);
    form.className = "rename";
    problem.className = "problem";
    problem.setAttribute("role", "alert");
    form.append(field, problem);
    name.hidden = true;
    name.after(form);
    field.focus();
    field.select();

    let isOpen = true;
    const close = () => {
      if (!isOpen) return; // Removing the field also sends "blur".
      isOpen = false;
      form.remove();
      name.hidden = false;
    };
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      close();
      name.focus();
    });
    field.addEventListener("blur", () => field.value === link.dataset.rename && close());
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const body = new FormData(document.getElementById("page-chosen"));
      body.set("name", field.value);
      const headers = { Accept: "application/json" };
      const response = await fetch(link.href, { method: "POST", body, headers }).catch(() => null);
      const answer = await response?.json().catch(() => null);
      if (!response?.ok || !answer) {
        // Without a reason, the page shows what is wrong.
        if (!answer?.error) return location.assign(link.href);
        problem.textContent = answer.error;
        return field.focus();
      }
      const old = name.textContent;
      for (const text of row.querySelectorAll(".unseen")) {
        text.textContent = text.textContent.replace(old, answer.title);
      }
      const box = row.querySelector("[name=table]");
      box.setAttribute("aria-label", box.getAttribute("aria-label").replace(old, answer.title));
      name.textContent = answer.title;
      for (const each of row.querySelectorAll("[data-rename]")) {
        each.dataset.rename = answer.name;
      }
      close();
      name.focus();
    });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-rename]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    closeMenus();
    rename(link);
  });
}
