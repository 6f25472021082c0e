/* What style sheets cannot do. */
document.addEventListener("DOMContentLoaded", () => {
  // Stacked cells of narrow screens begin with the header of their column.
  for (const table of document.querySelectorAll("table.stacked")) {
    const headers = [...table.querySelectorAll("thead th")].map((th) => th.textContent.trim());
    for (const row of table.querySelectorAll("tbody tr")) {
      [...row.cells].forEach((cell, column) => {
        cell.dataset.header = headers[column] ? `${headers[column]}: ` : "";
      });
    }
  }
  // Dotted names of the side bar break behind their dots.
  for (const link of document.querySelectorAll(".bd-sidebar-primary li a")) {
    if (/^[\w.]+\.\w+$/.test(link.textContent.trim())) {
      link.innerHTML = link.innerHTML.replaceAll(".", ".<wbr>");
    }
  }
});
