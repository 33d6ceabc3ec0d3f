// D-Tale's pages request data long after they were loaded. If a response has status 401, the
// session has expired, and this script shows a dialog with a link to sign in again.
{
  const dialog = document.getElementById("signed-out");
  const here = encodeURIComponent(location.pathname + location.search);
  dialog.querySelector("a").href += `?next=${here}`;
  new PerformanceObserver((list) => {
    if (!dialog.open && list.getEntries().some((entry) => entry.responseStatus === 401)) {
      dialog.showModal();
    }
  }).observe({ type: "resource", buffered: true });
}
