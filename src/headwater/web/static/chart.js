// <stacked-days data-spec="…">: bars of days, stacked, drawn as SVG. In: labels and series as JSON in
// an attribute. Pointer and arrow keys read one day; a screen reader hears it as a slider's value.
import { showCompact, showFull, strideFor, ticksFor } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 248;
const PAD = { top: 10, right: 2, bottom: 24, left: 44 };
const LABEL_PX = 58;
const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function html(name, className = "", ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

class StackedDays extends HTMLElement {
  connectedCallback() {
    this.spec = JSON.parse(this.dataset.spec);
    this.totals = this.spec.days.map((_, day) => this.spec.series.reduce((sum, s) => sum + s.values[day], 0));
    this.day = -1;
    this.plot = this.makePlot();
    this.tip = html("div", "tip");
    this.tip.hidden = true;
    this.replaceChildren(this.plot, this.tip);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this);
  }

  disconnectedCallback() {
    this.watch.disconnect();
  }

  makePlot() {
    const plot = html("div", "plot");
    const last = this.spec.days.length - 1;
    const facts = { role: "slider", tabindex: 0, "aria-label": this.spec.label, "aria-valuemin": 0, "aria-valuemax": last };
    for (const [key, value] of Object.entries(facts)) plot.setAttribute(key, value);
    plot.addEventListener("pointermove", (event) => this.point(event));
    plot.addEventListener("pointerleave", () => this.show(-1));
    plot.addEventListener("focus", () => plot.matches(":focus-visible") && this.show(this.day < 0 ? last : this.day));
    plot.addEventListener("blur", () => this.show(-1));
    plot.addEventListener("keydown", (event) => this.press(event));
    this.say(plot, last);
    return plot;
  }

  draw() {
    const width = this.clientWidth;
    if (!width) return;
    const ticks = ticksFor(Math.max(...this.totals));
    this.most = ticks.at(-1);
    this.stepPx = (width - PAD.left - PAD.right) / this.spec.days.length;
    const canvas = svg("svg", { height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
    canvas.append(...ticks.flatMap((tick) => this.drawTick(tick, width)), ...this.drawLabels(width));
    this.bars = this.spec.days.map((_, day) => this.drawDay(day));
    canvas.append(...this.bars);
    this.plot.replaceChildren(canvas);
    this.show(this.day);
  }

  y(value) {
    return HEIGHT - PAD.bottom - (value / this.most) * (HEIGHT - PAD.top - PAD.bottom);
  }

  drawTick(tick, width) {
    const y = Math.round(this.y(tick)) + 0.5;
    const line = svg("line", { class: tick ? "rule" : "axis", x1: PAD.left, x2: width - PAD.right, y1: y, y2: y });
    return [line, svg("text", { x: PAD.left - 8, y: y + 3.5, "text-anchor": "end" }, showCompact(tick))];
  }

  drawLabels(width) {
    const stride = strideFor(this.spec.days.length, width - PAD.left - PAD.right, LABEL_PX);
    return this.spec.days.flatMap((day, index) => {
      if (index % stride) return [];
      const x = PAD.left + (index + 0.5) * this.stepPx;
      const anchor = x + LABEL_PX / 2 > width ? "end" : "middle";
      return [svg("text", { x: anchor === "end" ? x + this.stepPx / 2 : x, y: HEIGHT - 6, "text-anchor": anchor }, day.tick)];
    });
  }

  drawDay(day) {
    const group = svg("g", { class: "day" });
    if (this.spec.partial && day === this.spec.days.length - 1) group.classList.add("partial");
    const top = this.spec.series.findLastIndex((series) => series.values[day] > 0);
    let base = 0;
    this.spec.series.forEach((series, index) => {
      const value = series.values[day];
      if (value > 0) group.append(this.drawSegment(day, base, base + value, series.tone, index === top));
      base += value;
    });
    return group;
  }

  drawSegment(day, from, to, tone, rounded) {
    const gap = Math.min(12, Math.max(1, this.stepPx * 0.24));
    const x = PAD.left + day * this.stepPx + gap / 2;
    const width = Math.max(1, this.stepPx - gap);
    const [low, high] = [this.y(from), this.y(to)];
    const seam = from > 0 && low - high > 3 ? 1 : 0; // a hair of background between two tones
    const height = Math.max(0.75, low - high - seam);
    const r = rounded ? Math.min(3, width / 2, height) : 0;
    const path = `M${x} ${high + height}V${high + r}q0 ${-r} ${r} ${-r}h${width - 2 * r}q${r} 0 ${r} ${r}V${high + height}z`;
    return svg("path", { class: `segment tone-${tone}`, d: path });
  }

  point(event) {
    const x = event.clientX - this.getBoundingClientRect().left - PAD.left;
    const day = Math.floor(x / this.stepPx);
    this.show(day >= 0 && day < this.spec.days.length ? day : -1);
  }

  press(event) {
    const last = this.spec.days.length - 1;
    const wanted = { Home: 0, End: last, Escape: -1 }[event.key]
      ?? (event.key in STEPS ? Math.min(last, Math.max(0, (this.day < 0 ? last : this.day) + STEPS[event.key])) : undefined);
    if (wanted === undefined) return;
    event.preventDefault();
    this.show(wanted);
  }

  show(day) {
    this.day = day;
    this.bars?.forEach((bar, index) => bar.classList.toggle("dim", day >= 0 && index !== day));
    this.tip.hidden = day < 0 || !this.bars;
    if (this.tip.hidden) return;
    this.say(this.plot, day);
    this.tip.replaceChildren(...this.describe(day));
    const x = PAD.left + (day + 0.5) * this.stepPx;
    const left = x + 14 + this.tip.offsetWidth > this.clientWidth ? x - 14 - this.tip.offsetWidth : x + 14;
    this.tip.style.transform = `translate(${Math.max(0, left)}px, 12px)`;
  }

  describe(day) {
    const body = html("tbody");
    for (const series of this.spec.series.toReversed()) {
      const name = html("td", "", html("span", `swatch tone-${series.tone}`), series.name);
      body.append(html("tr", "", name, html("td", "n", showFull(series.values[day]))));
    }
    body.append(html("tr", "sum", html("td", "", "Total"), html("td", "n", showFull(this.totals[day]))));
    return [html("strong", "", this.title(day)), html("table", "", body)];
  }

  title(day) {
    const partial = this.spec.partial && day === this.spec.days.length - 1;
    return this.spec.days[day].text + (partial ? ", so far" : "");
  }

  say(plot, day) {
    const parts = this.spec.series.filter((s) => s.values[day] > 0).map((s) => `${s.name} ${showFull(s.values[day])}`);
    plot.setAttribute("aria-valuenow", day);
    plot.setAttribute("aria-valuetext", `${this.title(day)}: ${showFull(this.totals[day])} calls. ${parts.join(", ")}`);
  }
}

customElements.define("stacked-days", StackedDays);
