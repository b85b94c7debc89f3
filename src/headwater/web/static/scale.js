// Chooses the numbers on an axis, and writes numbers. Pure: no page.
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const full = new Intl.NumberFormat("en");

export const showCompact = (number) => compact.format(number);
export const showFull = (number) => full.format(number);

// Ticks from 0 to at least `most`, in steps of 1, 2, 2.5 or 5 times a power of ten.
export function ticksFor(most, wanted = 4) {
  if (most <= wanted) return Array.from({ length: Math.max(1, Math.ceil(most)) + 1 }, (_, i) => i);
  const rough = most / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((size) => size >= rough);
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step);
}

// Every how many labels one has room.
export const strideFor = (labels, widthPx, labelPx) =>
  Math.max(1, Math.ceil((labels * labelPx) / Math.max(1, widthPx)));
