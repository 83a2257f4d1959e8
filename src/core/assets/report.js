(() => {
  "use strict";

  // Tables: a click on a header sorts by that column, the next one turns the order round.
  const keyOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.classList.contains("none")) return null;
    return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), undefined, { numeric: true });
  };
  const sortBy = (table, header, column) => {
    const descending = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [keyOf(row, column), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null); // absent ones last
      return descending ? compare(b, a) : compare(a, b);
    });
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      button.addEventListener("click", () => sortBy(table, header, column));
      header.append(button);
    });
  }

  if (typeof Chart === "undefined") return;

  // Plots.
  const colour = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const figure = (v) => (v === null ? "-" : String(Number(v.toPrecision(4))));
  const isPower = (v) => Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-9;
  const power = (v) => {
    const exponent = Math.round(Math.log10(v));
    if (exponent === 0 || exponent === 1) return exponent === 0 ? "1" : "10";
    const digits = { "-": "\u207b", 0: "\u2070", 1: "\u00b9", 2: "\u00b2", 3: "\u00b3" };
    return "10" + Array.from(String(exponent),
      (c) => digits[c] || String.fromCharCode(0x2070 + Number(c))).join("");
  };
  const logTick = (value, index, ticks) => {
    const powers = ticks.filter((tick) => isPower(tick.value)).length;
    if (powers < 2) return figure(value);
    return isPower(value) ? power(value) : null;
  };

  const pointsOf = (series, plot) => series.x.map((x, i) => {
    const y = series.y[i];
    const drawable = x !== null && y !== null && !(plot.x_log && x <= 0) && !(plot.y_log && y <= 0);
    return { x: x === null ? NaN : x, y: drawable ? y : NaN };
  });

  const axis = (label, log, bars) => ({
    type: log ? "logarithmic" : "linear",
    title: { display: label !== "", text: label, color: colour("soft"), padding: 4 },
    beginAtZero: bars && !log,
    offset: false,
    grid: { color: colour("line"), drawBorder: false, tickLength: 0, offset: false },
    ticks: Object.assign({ color: colour("soft"), padding: 6, maxRotation: 0, autoSkipPadding: 12 },
      log ? { callback: logTick } : { maxTicksLimit: 8 }),
  });

  // Half a bar of room on both sides, which linear axes do not leave by themselves.
  const roomForBars = (plot, scale) => {
    const bars = plot.series.filter((s) => s.style === "bars");
    const xs = [...new Set(bars.flatMap((s) => s.x).filter((x) => x !== null))].sort((a, b) => a - b);
    if (xs.length === 0 || plot.x_log) return;
    let step = xs.length > 1 ? Infinity : 1;
    for (let i = 1; i < xs.length; i++) step = Math.min(step, xs[i] - xs[i - 1]);
    scale.suggestedMin = xs[0] - step / 2;
    scale.suggestedMax = xs[xs.length - 1] + step / 2;
  };

  // A straight dashed line is a reference, not a result: it steps back.
  const inkOf = (series, index) =>
    colour(series.style === "dashed" && series.x.length <= 2 ? "soft" : "series-" + (index % 7));

  const dataset = (series, plot, ink) => {
    const isBar = series.style === "bars";
    const several = plot.series.filter((s) => s.style === "bars").length > 1;
    return {
      label: series.name,
      data: pointsOf(series, plot),
      type: isBar ? "bar" : "line",
      // Chart.js draws the first dataset on top; lines and points belong over bars.
      order: isBar ? 1 : 0,
      borderColor: ink,
      backgroundColor: isBar ? ink + (several ? "99" : "cc") : ink,
      borderWidth: isBar ? 0 : 2,
      borderDash: series.style === "dashed" ? [6, 5] : [],
      showLine: series.style === "line" || series.style === "dashed",
      pointRadius: series.style === "points" || series.x.length === 1 ? 3.5 : 0,
      pointHoverRadius: 4.5,
      grouped: false,
      barPercentage: 0.94,
      categoryPercentage: 1,
      clip: 4,
    };
  };

  const legend = (plot) => ({
    display: plot.series.length > 1,
    align: "start",
    labels: {
      color: colour("ink"),
      usePointStyle: true,
      boxWidth: 9,
      boxHeight: 9,
      padding: 14,
      sort: (a, b) => a.datasetIndex - b.datasetIndex,
      generateLabels: (chart) =>
        Chart.defaults.plugins.legend.labels.generateLabels(chart).map((label) => {
          const style = plot.series[label.datasetIndex].style;
          const pointStyle = { bars: "rect", points: "circle" }[style] || "line";
          return Object.assign(label, { pointStyle, lineDash: style === "dashed" ? [4, 3] : [] });
        }),
    },
  });

  const tooltip = () => ({
    backgroundColor: colour("ink"),
    bodyColor: colour("surface"),
    displayColors: false,
    padding: 8,
    callbacks: {
      title: () => "",
      label: (item) => `${item.dataset.label}: ${figure(item.parsed.x)}, ${figure(item.parsed.y)}`,
    },
  });

  const plotOf = (canvas) => JSON.parse(document.getElementById(canvas.dataset.plot).textContent);

  // Rates of exactly 0 have no place on a logarithmic axis; a curve of nothing else says so.
  const sayEmpty = (canvas) => {
    const plot = plotOf(canvas);
    if (plot.series.some((s) => pointsOf(s, plot).some((p) => !isNaN(p.x) && !isNaN(p.y)))) return;
    const words = document.createElement("p");
    words.className = "empty";
    words.textContent = plot.x_log || plot.y_log
      ? "No point can be drawn: all have a 0 on a logarithmic axis." : "There are no points.";
    canvas.parentElement.replaceWith(words);
  };

  const draw = (canvas) => {
    const plot = plotOf(canvas);
    const bars = plot.series.some((s) => s.style === "bars");
    const scales = { x: axis(plot.x_label, plot.x_log, false), y: axis(plot.y_label, plot.y_log, bars) };
    if (bars) roomForBars(plot, scales.x);
    return new Chart(canvas, {
      type: "line",
      data: {
        datasets: plot.series.map((s, i) => dataset(s, plot, inkOf(s, i))),
      },
      options: {
        animation: false,
        maintainAspectRatio: false,
        spanGaps: false,
        interaction: { mode: "nearest", intersect: false },
        scales,
        plugins: { legend: legend(plot), tooltip: tooltip() },
      },
    });
  };

  // Colours come from the style sheet, so a change of theme draws anew.
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll("canvas[data-plot]").forEach(sayEmpty);
  const canvases = Array.from(document.querySelectorAll("canvas[data-plot]"));
  let charts = [];
  const drawAll = () => {
    charts.forEach((chart) => chart.destroy());
    charts = canvases.map(draw);
  };
  drawAll();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    drawAll();
    charts.forEach((chart) => chart.resize(580, 320));
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    drawAll();
  });
})();
