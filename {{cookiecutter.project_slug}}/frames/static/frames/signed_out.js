// D-Tale's pages ask for data long after they were loaded. When an answer says that nobody
// is signed in any more, this shows the way back in.
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
