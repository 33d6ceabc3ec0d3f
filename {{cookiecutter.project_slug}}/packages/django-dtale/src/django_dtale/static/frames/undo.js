// "Undo" in the bar, and Ctrl+Z in the grid. The page is loaded again, and then says what
// was undone.
{
  const form = document.getElementById("undo");
  const status = document.getElementById("bar-status");
  const KEY = "frames-undone";
  let isRunning = false;

  const undo = async () => {
    if (isRunning) return;
    isRunning = true;
    const response = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
    }).catch(() => null);
    isRunning = false;
    if (!response) return;
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) {
      status.textContent = answer.error ?? "";
      return;
    }
    sessionStorage.setItem(KEY, answer.text);
    location.reload();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    undo();
  });
  document.addEventListener("keydown", (event) => {
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
    // A field that is being edited has an undo of its own.
    if (!isUndo || event.target.closest("input, textarea, [contenteditable]")) return;
    event.preventDefault();
    undo();
  });

  status.textContent = sessionStorage.getItem(KEY) ?? "";
  sessionStorage.removeItem(KEY);
}
