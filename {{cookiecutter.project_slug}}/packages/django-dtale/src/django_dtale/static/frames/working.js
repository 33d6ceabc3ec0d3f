// D-Tale's pages request data in the background. If a response takes longer than DELAY, this
// script shows that the site works, and a button that cancels requests that only read.
{
  const sign = document.getElementById("working");
  const status = sign.querySelector("[role=status]");
  const cancel = sign.querySelector("button");
  const DELAY = 300; // Milliseconds.
  const READS =
    /\/dtale\/(aggregations|async-column-filter-data|column-analysis|column-filter-data|corr-analysis|correlations|correlations-ts|data|describe|missingno|network-analysis|network-data|outliers|raw-pandas|scatter|shortest-path|sorted-sequential-diffs|timeseries-analysis|variance|weighted-average)\//;
  const { open, send } = XMLHttpRequest.prototype;
  const late = new Set();

  const show = () => {
    sign.classList.toggle("late", late.size > 0);
    status.textContent = late.size ? sign.dataset.working : "";
    cancel.hidden = ![...late].some(({ isRead }) => isRead);
  };

  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    const { origin, pathname } = new URL(url, location.href);
    this.isWork = origin === location.origin && pathname.includes("/dtale/");
    this.isRead = READS.test(pathname);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (this.isWork) {
      const timer = setTimeout(() => {
        late.add(this);
        show();
      }, DELAY);
      this.addEventListener("loadend", () => {
        clearTimeout(timer);
        if (late.delete(this)) show();
      });
    }
    return send.apply(this, body);
  };

  cancel.addEventListener("click", () => {
    const isStale = document.querySelector(".main-grid.stale") !== null;
    for (const request of [...late].filter(({ isRead }) => isRead)) request.abort();
    // The server has the order of the rows before a sort that was cancelled.
    if (isStale) location.reload();
  });
}
