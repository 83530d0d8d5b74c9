"use strict";

// Each figure holds its numbers as a table; this draws them above it.
(() => {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const palette = ["--chart-1", "--chart-2", "--chart-3"].map(colour);

  const read = (figure) => {
    const heads = [...figure.querySelectorAll("thead th")].slice(1);
    const rows = [...figure.querySelectorAll("tbody tr")];
    return {
      labels: rows.map((row) => row.querySelector("th").textContent),
      series: heads.map((head, place) => ({
        name: head.textContent,
        unit: head.dataset.unit || "",
        second: "secondAxis" in head.dataset,
        values: rows.map((row) => Number(row.querySelectorAll("td")[place].dataset.value)),
      })),
    };
  };

  const scale = (unit, more) => ({
    beginAtZero: true,
    ticks: { color: colour("--muted"), precision: unit ? undefined : 0, callback: (value) => value.toLocaleString("en") + unit },
    grid: { color: colour("--line") },
    ...more,
  });

  const draw = (figure) => {
    const { labels, series } = read(figure);
    const kind = figure.dataset.chart;
    const lines = kind === "lines";
    const across = !lines && labels.some((label) => label.length > 4);
    const box = document.createElement("div");
    box.className = "canvas";
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${figure.querySelector("figcaption").textContent}; the numbers are below.`);
    box.append(canvas);
    figure.querySelector("figcaption").after(box);
    const values = scale(series[0].unit, { stacked: kind === "stacked" });
    const names = {
      stacked: kind === "stacked",
      ticks: { color: colour("--text"), autoSkip: !across || labels.length > 40 },
      grid: { display: false },
    };
    const scales = across ? { x: values, y: names } : { x: names, y: values };
    if (series.some((each) => each.second)) {
      scales.second = scale("", { position: "right", grid: { display: false } });
    }
    new Chart(canvas, {
      type: lines ? "line" : "bar",
      data: {
        labels,
        datasets: series.map((each, place) => ({
          label: each.name,
          data: each.values,
          backgroundColor: palette[place % palette.length],
          borderColor: palette[place % palette.length],
          borderWidth: lines ? 2 : 0,
          pointRadius: labels.length > 40 ? 0 : 2,
          ...(each.second ? { yAxisID: across ? undefined : "second" } : {}),
        })),
      },
      options: {
        animation: false,
        indexAxis: across ? "y" : "x",
        maintainAspectRatio: false,
        scales,
        plugins: {
          legend: { display: series.length > 1, labels: { color: colour("--text") } },
          tooltip: {
            callbacks: {
              label: (item) => `${item.dataset.label}: ${item.formattedValue}${series[item.datasetIndex].unit}`,
            },
          },
        },
      },
    });
    if (across) {
      // Each label keeps a line of its own.
      box.style.height = `${Math.max(12, 3 + labels.length * series.length * (kind === "stacked" ? 0.6 : 0.9))}rem`;
    }
  };

  document.querySelectorAll("figure[data-chart]").forEach(draw);
})();
