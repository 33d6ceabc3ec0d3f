// A grid requests rows long after it was loaded. If the data are replaced meanwhile, the
// server refuses requests of this version of the data, so that old and new rows are never
// mixed. This script sends the version, and shows a button that reloads the page.
//
// Another person can also change cells, so that a filter finds other rows, or drop rows.
// When a cell is edited, this script therefore sends the label of its row.
//
// The server answers the question for the present version with the names of other people
// who have the table open.
{
  const { frame, version, change, state } = document.currentScript.dataset;
  const notice = document.getElementById("newer-data");
  const readOnly = document.getElementById("read-only");
  const here = document.getElementById("here");
  const SECONDS = 20;
  const MAX_SHOWN = 4; // People.
  const MAX_ERROR = 5000; // Characters. Longer responses are data.
  const { open, send } = XMLHttpRequest.prototype;
  const labels = new Map(); // From positions in the grid to labels of rows.

  const show = (text) => {
    if (text) notice.querySelector("span").textContent = text;
    notice.hidden = false;
  };
  const remember = (text) => {
    try {
      for (const row of Object.values(JSON.parse(text).results ?? {})) {
        labels.set(String(row.dtale_index), row.__row);
      }
    } catch {
      // The response is an error, which D-Tale shows.
    }
  };

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    const address = new URL(url, location.href);
    this.isOwn = address.origin === location.origin;
    this.isPage = this.isOwn && address.pathname.endsWith(`/dtale/data/${frame}`);
    this.row = undefined;
    if (this.isOwn && address.pathname.endsWith(`/dtale/edit-cell/${frame}`)) {
      this.row = labels.get(address.searchParams.get("rowIndex"));
    }
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (this.isOwn) {
      this.setRequestHeader("X-Data-Version", `${frame}=${version}`);
      if (this.row !== undefined) this.setRequestHeader("X-Row", this.row);
      this.addEventListener("load", () => {
        if (this.status === 409) show();
        if (this.isPage && this.status === 200) remember(this.responseText);
        // D-Tale shows the text of an error, but no links.
        const isText = !this.responseType && this.responseText.length < MAX_ERROR;
        if (readOnly && isText && this.responseText.includes('"copy_url":')) {
          readOnly.hidden = false;
        }
      });
    }
    return send.apply(this, body);
  };

  const initials = (name) => {
    const words = name.split(/[\s._-]+/).filter(Boolean);
    const letters = words.length > 1 ? words.map((word) => [...word][0]) : [...name];
    return letters.slice(0, 2).join("").toUpperCase();
  };
  const meet = (people, text) => {
    if (here === null || here.title === text) return;
    here.title = text;
    here.hidden = !people.length;
    const all = document.createElement("span");
    all.className = "unseen";
    all.textContent = text;
    const shown = people.slice(0, MAX_SHOWN).map(initials);
    if (people.length > MAX_SHOWN) shown.push(`+${people.length - MAX_SHOWN}`);
    const signs = shown.map((letters) => {
      const sign = document.createElement("i");
      sign.setAttribute("aria-hidden", "true");
      sign.textContent = letters;
      return sign;
    });
    here.replaceChildren(all, ...signs);
  };

  const ask = async () => {
    const isEarlierState = version === "";
    if (document.hidden || isEarlierState) return;
    const response = await fetch(state).catch(() => null);
    if (!response?.ok) return;
    const now = await response.json();
    meet(now.people ?? [], now.people_text ?? "");
    if (!notice.hidden) return;
    if (Number(now.change ?? 0) > Number(change)) show(now.text);
    else if (String(now.version) !== version) show();
  };
  setInterval(ask, SECONDS * 1000);
  if (here) addEventListener("load", ask);
  document.addEventListener("visibilitychange", ask);
  notice.querySelector("button").addEventListener("click", () => location.reload());
}
