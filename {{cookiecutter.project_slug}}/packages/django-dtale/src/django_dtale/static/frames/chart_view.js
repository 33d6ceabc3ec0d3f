// Save the present chart as a view. D-Tale writes the parameters of a chart into the links above
// it. If there are several charts, only the link of "Export All" has the parameters of all.
{
  const bar = document.getElementById("chart-bar");
  const status = bar.querySelector("[role=status]");

  const parameters = () => {
    const all = document.getElementById("export-all-chart-btn");
    const one = document.querySelector("#chart-content .copy-link-btn");
    const link = all?.getAttribute("href") ? all : one;
    return link ? new URL(link.href).search.slice(1) : "";
  };

  document.addEventListener("pointerdown", () => (status.textContent = ""));
  for (const form of bar.querySelectorAll("form")) {
    const saves = /\/views\/(save|\d+\/update)\/$/.test(form.getAttribute("action"));
    if (!saves) continue;
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "chart";
    form.append(field);
    form.addEventListener("submit", (event) => {
      field.value = parameters();
      status.textContent = field.value ? "" : status.dataset.noChart;
      if (!field.value) event.preventDefault();
    });
  }
}
