"use strict";
(() => {
  const table = document.getElementById("standings");
  if (!table) return;
  const body = table.tBodies[0], form = document.querySelector(".filters"), shown = form.querySelector("output");
  const heads = [...table.tHead.rows[0].cells], rows = [...body.rows], total = shown.textContent;
  const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));

  const key = (row, column) => {
    const cell = row.cells[column], value = cell.dataset.value;
    return value === undefined ? cell.textContent.trim() : value;
  };
  const sort = (column, direction) => {
    heads.forEach((head, place) => head.setAttribute("aria-sort", place === column ? direction : "none"));
    const sign = direction === "ascending" ? 1 : -1;
    rows.sort((a, b) => {
      const [x, y] = [key(a, column), key(b, column)];
      if (x === "" || y === "") return (x === "") - (y === "");
      const order = isNaN(x) || isNaN(y) ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return sign * order;
    });
    body.append(...rows);
  };
  const filter = () => {
    const { words, member, call } = Object.fromEntries(new FormData(form));
    const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
    let left = 0;
    for (const row of rows) {
      const fits = wanted.every((word) => text.get(row).includes(word))
        && (!member || row.dataset.member === member) && (!call || row.dataset.call === call);
      row.hidden = !fits;
      left += fits;
    }
    shown.textContent = left === rows.length ? total : `${left} of ${total}`;
  };
  const remember = () => {
    const column = heads.findIndex((head) => head.getAttribute("aria-sort") !== "none");
    const state = { column, direction: column < 0 ? "" : heads[column].getAttribute("aria-sort"), ...Object.fromEntries(new FormData(form)) };
    try { sessionStorage.setItem("standings", JSON.stringify(state)); } catch { /* a browser may forbid it */ }
  };
  const recall = () => {
    let state = null;
    try { state = JSON.parse(sessionStorage.getItem("standings")); } catch { /* a browser may forbid it */ }
    if (!state) return;
    for (const name of ["words", "member", "call"]) if (name in state) form.elements[name].value = state[name];
    if (heads[state.column]) sort(state.column, state.direction);
  };

  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", (event) => {
    const first = event.currentTarget.dataset.first === "down" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    sort(column, head.getAttribute("aria-sort") === first ? other : first);
    remember();
  }));
  form.addEventListener("input", () => { filter(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  recall();
  filter();
})();
